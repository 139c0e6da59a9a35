/* Commands on wallets as a whole: making, loading, listing; addresses and keys. */
#include <stdlib.h>
#include <string.h>

#include "src/keys/address.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

/* Options of Bitcoin Core's that would make another kind of wallet. */
static const char *unsupported(const struct fx_rpc_call *call)
{
    if (fx_rpc_arg_bool(call->args[1], false)) {
        return "disable_private_keys: a wallet here always has its keys";
    }
    if (fx_rpc_arg_bool(call->args[2], false)) {
        return "blank: a wallet here always has its seed; give an earlier one as mnemonic";
    }
    if (*fx_rpc_arg_str(call->args[3], "")) {
        return "passphrase: wallets are not encrypted";
    }
    if (!fx_rpc_arg_bool(call->args[5], true)) {
        return "descriptors=false: all wallets are of the one kind there is";
    }
    return fx_rpc_arg_bool(call->args[7], false) ? "external_signer: there is none" : NULL;
}

static json_t *createwallet(struct fx_rpc_call *call)
{
    struct fx_wallet_error error = {0, ""};
    const char *mnemonic = fx_rpc_arg_str(call->args[8], NULL);
    const char *wrong = unsupported(call);
    if (wrong) {
        return fx_rpc_fail(call, FX_RPC_WALLET, "Not supported: %s", wrong);
    }
    struct fx_wallet *wallet = fx_wallet_create(call->rpc->config.wallets,
                                                json_string_value(call->args[0]), mnemonic, &error);
    if (!wallet) {
        return fx_rpc_fail_wallet(call, &error);
    }
    json_t *out = json_object();
    fx_wallet_set_startup(call->rpc->config.wallets, fx_wallet_name(wallet),
                          fx_rpc_arg_bool(call->args[6], true));
    fx_json_set(out, "name", json_string(fx_wallet_name(wallet)));
    if (!mnemonic) {
        fx_json_set(out, "mnemonic", json_string(fx_wallet_mnemonic(wallet)));
    }
    return out;
}

static const struct fx_rpc_command createwallet_command = {
    .name = "createwallet",
    .text = "Makes and loads a wallet. Its twelve words are shown this once: whoever has them has "
            "its coins, and they alone bring it back.",
    .args = "wallet_name: str                     # \"\": the default wallet\n"
            "disable_private_keys?: bool = false  # Must be false; this and the next are for "
            "Bitcoin Core's order\n"
            "blank?: bool = false                 # Must be false\n"
            "passphrase?: str = \"\"              # Must be empty\n"
            "avoid_reuse?: bool = false           # Makes no difference\n"
            "descriptors?: bool = true            # Must be true\n"
            "load_on_startup?: bool = true        # Where the node has no -wallet\n"
            "external_signer?: bool = false       # Must be false\n"
            "mnemonic?: str                       # Twelve words of an earlier wallet; then "
            "rescanblockchain",
    .result = "{ name: str, mnemonic?: str }  # mnemonic: of a new seed",
    .errors = "-4: it exists, the words are wrong, or an option is not supported",
    .example = "\"mine\"",
    .run = createwallet,
};

static json_t *loadwallet(struct fx_rpc_call *call)
{
    struct fx_wallet_error error = {0, ""};
    struct fx_wallet *wallet =
        fx_wallet_load(call->rpc->config.wallets, json_string_value(call->args[0]), &error);
    if (!wallet) {
        return fx_rpc_fail_wallet(call, &error);
    }
    fx_wallet_set_startup(call->rpc->config.wallets, fx_wallet_name(wallet),
                          fx_rpc_arg_bool(call->args[1], true));
    json_t *out = json_object();
    fx_json_set(out, "name", json_string(fx_wallet_name(wallet)));
    return out;
}

static const struct fx_rpc_command loadwallet_command = {
    .name = "loadwallet",
    .text = "Loads a wallet that is on disk, and reads the blocks that it has not seen.",
    .args = "filename: str                   # Its name\n"
            "load_on_startup?: bool = true   # Where the node has no -wallet",
    .result = "{ name: str }",
    .errors = "-18: there is none of this name\n-35: it is loaded",
    .example = "\"mine\"",
    .run = loadwallet,
};

static json_t *unloadwallet(struct fx_rpc_call *call)
{
    struct fx_wallet_error error = {0, ""};
    const char *name = fx_rpc_arg_str(call->args[0], call->wallet);
    if (call->wallet && call->args[0] && strcmp(call->wallet, name) != 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "RPC endpoint wallet and wallet_name parameter specify different "
                           "wallets");
    }
    if (!name) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Either RPC endpoint wallet or wallet_name parameter must be provided");
    }
    if (!fx_wallet_unload(call->rpc->config.wallets, name, &error)) {
        return fx_rpc_fail_wallet(call, &error);
    }
    fx_wallet_set_startup(call->rpc->config.wallets, name, fx_rpc_arg_bool(call->args[1], false));
    return json_object();
}

static const struct fx_rpc_command unloadwallet_command = {
    .name = "unloadwallet",
    .text = "Unloads a wallet; it stays on disk.",
    .args = "wallet_name?: str                # Default: that of the URL\n"
            "load_on_startup?: bool = false   # Where the node has no -wallet",
    .result = "{ }",
    .errors = "-8: no name, or two\n-18: it is not loaded",
    .example = "\"mine\"",
    .run = unloadwallet,
};

static json_t *backupwallet(struct fx_rpc_call *call)
{
    struct fx_wallet_error error = {0, ""};
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!fx_wallet_backup(wallet, json_string_value(call->args[0]), &error)) {
        return fx_rpc_fail_wallet(call, &error);
    }
    return json_null();
}

static const struct fx_rpc_command backupwallet_command = {
    .name = "backupwallet",
    .text = "Copies the wallet's database into a new folder: keys, labels, comments and history. "
            "Put under wallets/, it is a wallet by the folder's name. It has the seed: whoever has "
            "the copy has the coins.",
    .args = "destination: str   # The folder to make, on the node's machine",
    .result = "null",
    .errors = "-4: Wallet backup failed: the folder exists, or cannot be written\n"
              "-18: no wallet is loaded",
    .example = "\"/mnt/backup/mine\"",
    .run = backupwallet,
};

static json_t *listwallets(struct fx_rpc_call *call)
{
    const char **names = NULL;
    size_t n = fx_wallet_list(call->rpc->config.wallets, &names);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(out, json_string(names[i]));
    }
    free(names);
    return out;
}

static const struct fx_rpc_command listwallets_command = {
    .name = "listwallets",
    .text = "Returns the names of the loaded wallets.",
    .result = "[ str ]",
    .example = "",
    .run = listwallets,
};

static json_t *listwalletdir(struct fx_rpc_call *call)
{
    char **names = NULL;
    size_t n = fx_wallet_list_dir(call->rpc->config.wallets, &names);
    json_t *out = json_object(), *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        json_t *name = json_string(names[i]);
        fx_json_set(o, "name", name ? name : json_string("(not UTF-8)"));
        json_array_append_new(list, o);
        free(names[i]);
    }
    free(names);
    fx_json_set(out, "wallets", list);
    return out;
}

static const struct fx_rpc_command listwalletdir_command = {
    .name = "listwalletdir",
    .text = "Returns the names of all wallets on disk.",
    .result = "{ wallets: [ { name: str } ] }",
    .example = "",
    .run = listwalletdir,
};

static json_t *getwalletinfo(struct fx_rpc_call *call)
{
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    struct fx_wallet_balance balance;
    if (!wallet) {
        return NULL;
    }
    fx_wallet_balance(wallet, &balance);
    json_t *out = json_object();
    fx_json_set(out, "walletname", json_string(fx_wallet_name(wallet)));
    fx_json_set(out, "format", json_string("bip86"));
    fx_json_set(out, "balance", fx_json_amount(balance.trusted));
    fx_json_set(out, "unconfirmed_balance", fx_json_amount(balance.pending));
    fx_json_set(out, "immature_balance", fx_json_amount(balance.immature));
    fx_json_set(out, "txcount", json_integer((json_int_t)fx_wallet_tx_count(wallet)));
    fx_json_set(out, "keypoolsize", json_integer(FX_WALLET_KEYS_AHEAD));
    fx_json_set(out, "paytxfee", fx_json_amount(0));
    fx_json_set(out, "private_keys_enabled", json_true());
    fx_json_set(out, "avoid_reuse", json_false());
    fx_json_set(out, "descriptors", json_true());
    fx_json_set(out, "external_signer", json_false());
    fx_json_set(out, "blank", json_false());
    fx_json_set(out, "birthtime", json_integer(fx_wallet_birthday(wallet)));
    fx_json_set(out, "lastprocessedblock", json_integer(fx_wallet_height(wallet)));
    return out;
}

static const struct fx_rpc_command getwalletinfo_command = {
    .name = "getwalletinfo",
    .text = "Returns the state of a wallet.",
    .result = "{ walletname: str, format: str, balance: amount, unconfirmed_balance: amount\n"
              "immature_balance: amount, txcount: int\n"
              "keypoolsize: int            # Keys of each kind that are watched ahead of use\n"
              "paytxfee: amount            # 0: fees are estimated\n"
              "private_keys_enabled: bool, avoid_reuse: bool, descriptors: bool\n"
              "external_signer: bool, blank: bool, birthtime: time\n"
              "lastprocessedblock: int }   # Height up to which it has seen the chain",
    .errors = "-18: no wallet is loaded\n-19: several are: name one (-rpcwallet)",
    .example = "",
    .run = getwalletinfo,
};

static void taproot_script(const struct fx_hash *key, uint8_t script[34])
{
    script[0] = 0x51;
    script[1] = 32;
    memcpy(script + 2, key->b, 32);
}

static json_t *new_address(struct fx_rpc_call *call, enum fx_key_use use, const char *label)
{
    struct fx_wallet_error error = {0, ""};
    struct fx_hash key;
    uint8_t script[34];
    char address[FX_ADDRESS_MAX];
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!fx_wallet_new_key(wallet, use, label, &key, &error)) {
        return fx_rpc_fail_wallet(call, &error);
    }
    taproot_script(&key, script);
    if (!fx_address_encode(call->rpc->config.params, (struct fx_span){script, sizeof(script)},
                           address)) {
        return fx_rpc_fail(call, FX_RPC_INTERNAL, "no address for a new key");
    }
    return json_string(address);
}

static json_t *getnewaddress(struct fx_rpc_call *call)
{
    const char *type = fx_rpc_arg_str(call->args[1], "bech32m");
    if (strcmp(type, "bech32m") != 0) {
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Unknown address type '%.40s'", type);
    }
    return new_address(call, FX_KEY_RECEIVE, fx_rpc_arg_str(call->args[0], ""));
}

static const struct fx_rpc_command getnewaddress_command = {
    .name = "getnewaddress",
    .text = "Returns a new address of the wallet, to receive with.",
    .args = "label?: str = \"\"\n"
            "address_type?: str = bech32m",
    .result = "str",
    .errors = "-5: Unknown address type\n-18: no wallet is loaded",
    .example = "",
    .run = getnewaddress,
};

static json_t *getrawchangeaddress(struct fx_rpc_call *call)
{
    return new_address(call, FX_KEY_CHANGE, NULL);
}

static const struct fx_rpc_command getrawchangeaddress_command = {
    .name = "getrawchangeaddress",
    .text = "Returns a new address of the wallet, for change.",
    .args = "address_type?: str = bech32m",
    .result = "str",
    .errors = "-18: no wallet is loaded",
    .example = "",
    .run = getrawchangeaddress,
};

static json_t *getsolverkey(struct fx_rpc_call *call)
{
    struct fx_wallet_error error = {0, ""};
    struct fx_hash key;
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!fx_wallet_solver_key(wallet, &key, &error)) {
        return fx_rpc_fail_wallet(call, &error);
    }
    return fx_json_root(&key);
}

static const struct fx_rpc_command getsolverkey_command = {
    .name = "getsolverkey",
    .text = "Returns the wallet's one solver key: its claims, its results and its credit are "
            "under it.",
    .result = "hash",
    .errors = "-18: no wallet is loaded",
    .example = "",
    .run = getsolverkey,
};

static json_t *getaddressinfo(struct fx_rpc_call *call)
{
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    struct fx_buf script = FX_BUF_INIT;
    if (!wallet) {
        return NULL;
    }
    if (!fx_rpc_arg_address(call, call->args[0], &script)) {
        fx_buf_clear(&script);
        return NULL;
    }
    const struct fx_span span = {script.data, script.len};
    bool own = fx_wallet_owns_script(wallet, span);
    json_t *out = json_object(), *labels = json_array();
    const char *label = own ? fx_wallet_label(wallet, span) : "";
    fx_json_set(out, "address", json_incref(call->args[0]));
    fx_json_set(out, "scriptPubKey", fx_json_hex(span.data, span.len));
    fx_json_set(out, "ismine", json_boolean(own));
    fx_json_set(out, "solvable", json_boolean(own));
    fx_json_set(out, "iswitness", json_true());
    fx_json_set(out, "witness_version", json_integer(span.data[0] ? span.data[0] - 0x50 : 0));
    fx_json_set(out, "witness_program", fx_json_hex(span.data + 2, span.len - 2));
    if (label && *label) {
        json_array_append_new(labels, json_string(label));
    }
    fx_json_set(out, "labels", labels);
    fx_buf_clear(&script);
    return out;
}

static const struct fx_rpc_command getaddressinfo_command = {
    .name = "getaddressinfo",
    .text = "Returns what the wallet knows of an address.",
    .args = "address: str",
    .result = "{ address: str, scriptPubKey: hex, ismine: bool, solvable: bool, iswitness: bool\n"
              "witness_version: int, witness_program: hex, labels: [ str ] }",
    .errors = "-5: Invalid address",
    .example = "\"address\"",
    .run = getaddressinfo,
};

struct rescan {
    char *wallet; /* name: it may be unloaded between two steps */
    uint32_t start, at, stop;
    uint32_t at_once; /* blocks a step, after what the last step took */
};

static void rescan_free(void *ctx)
{
    struct rescan *r = ctx;
    free(r->wallet);
    free(r);
}

static int rescan_step(struct fx_rpc_call *call, void *ctx)
{
    struct rescan *r = ctx;
    struct fx_wallet_error error = {0, ""};
    int64_t before = fx_clock_monotonic_ms();
    uint32_t tip = fx_chain_tip(call->rpc->config.chain)->height;
    uint32_t stop = r->stop < tip ? r->stop : tip; /* a reorganisation may have taken the rest */
    struct fx_wallet *wallet = fx_wallet_get(call->rpc->config.wallets, r->wallet, &error);
    if (wallet && r->at <= stop) {
        uint32_t last = stop - r->at < r->at_once ? stop : r->at + r->at_once - 1;
        if (fx_wallet_rescan(wallet, r->at, last, &error)) {
            r->at = last + 1;
        }
    }
    if (error.code != 0 || !wallet) {
        fx_rpc_fail_wallet(call, &error);
        return FX_RPC_STEP_DONE;
    }
    if (r->at <= stop) {
        int64_t took = fx_clock_monotonic_ms() - before;
        if (took < FX_RPC_SLICE_MS / 2 && r->at_once < 4096) {
            r->at_once *= 2;
        } else if (took > FX_RPC_SLICE_MS && r->at_once > 1) {
            r->at_once /= 2;
        }
        return 0;
    }
    call->result = json_object();
    fx_json_set(call->result, "start_height", json_integer(r->start));
    fx_json_set(call->result, "stop_height", json_integer(stop));
    return FX_RPC_STEP_DONE;
}

static json_t *rescanblockchain(struct fx_rpc_call *call)
{
    int64_t tip = fx_chain_tip(call->rpc->config.chain)->height;
    int64_t start = call->args[0] ? json_integer_value(call->args[0]) : 0;
    int64_t stop = call->args[1] ? json_integer_value(call->args[1]) : tip;
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (start < 0 || start > tip) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid start_height");
    }
    if (stop < 0 || stop > tip) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid stop_height");
    }
    if (stop < start) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "stop_height must be greater than start_height");
    }
    if (start <= fx_chain_pruned_height(call->rpc->config.chain)) {
        return fx_rpc_fail(call, FX_RPC_MISC,
                           "Can't rescan beyond pruned data. Use RPC call getblockchaininfo to "
                           "determine your pruned height.");
    }
    struct rescan *r = fx_xcalloc(1, sizeof(*r));
    r->wallet = fx_xstrdup(fx_wallet_name(wallet));
    r->start = r->at = (uint32_t)start;
    r->stop = (uint32_t)stop;
    r->at_once = 8;
    return fx_rpc_slice(call, rescan_step, rescan_free, r);
}

static const struct fx_rpc_command rescanblockchain_command = {
    .name = "rescanblockchain",
    .text = "Reads blocks again for transactions of the wallet; other calls are served meanwhile.",
    .args = "start_height?: int = 0\n"
            "stop_height?: int = the tip",
    .result = "{ start_height: int, stop_height: int }",
    .errors = "-1: Can't rescan beyond pruned data\n-8: Invalid start_height or stop_height",
    .example = "\n100 200",
    .run = rescanblockchain,
};

static const struct fx_rpc_command *const commands[] = {
    &createwallet_command,     &loadwallet_command,
    &unloadwallet_command,     &backupwallet_command,
    &fx_rpc_signmessage,       &listwallets_command,
    &listwalletdir_command,    &getwalletinfo_command,
    &getnewaddress_command,    &getrawchangeaddress_command,
    &getsolverkey_command,     &getaddressinfo_command,
    &rescanblockchain_command, NULL,
};

const struct fx_rpc_topic fx_rpc_topic_wallet = {"Wallet", commands, FX_RPC_WITH_WALLETS};
