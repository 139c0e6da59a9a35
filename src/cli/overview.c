/* What fornax-cli makes of several calls: -getinfo, -netinfo, -generate. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli_int.h"
#include "src/sys/clock.h"

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

/* params: taken. False: printed, where status is not NULL. */
static bool ask(struct fx_rpc_client *client, const char *method, json_t *params, json_t **out,
                int *status)
{
    struct fx_rpc_reply reply;
    fx_rpc_client_call(client, method, params, &reply);
    json_decref(params);
    *out = reply.status == FX_RPC_OK ? json_incref(reply.result) : NULL;
    if (!*out && status) {
        *status = fx_cli_failed(&reply);
    }
    fx_rpc_reply_clear(&reply);
    return *out != NULL;
}

/* ---- -getinfo ----------------------------------------------------------------------------------
 */

int fx_cli_getinfo(struct fx_rpc_client *client)
{
    json_t *chain = NULL, *net = NULL, *wallet = NULL, *lane, *warning;
    size_t i;
    int status = EXIT_SUCCESS;
    if (ask(client, "getblockchaininfo", NULL, &chain, &status) &&
        ask(client, "getnetworkinfo", NULL, &net, &status)) {
        printf("Chain: %s\nBlocks: %.0f\nHeaders: %.0f\nVerification progress: %.4f%%\n",
               string(chain, "chain"), number(chain, "blocks"), number(chain, "headers"),
               100 * number(chain, "verificationprogress"));
        json_array_foreach(json_object_get(chain, "lanes"), i, lane)
        {
            printf("Lane %s: height %.0f, difficulty %.8g, expected work %.8g\n",
                   string(lane, "lane"), number(lane, "height"), number(lane, "difficulty"),
                   number(lane, "expectedwork"));
        }
        printf("\nNetwork: in %.0f, out %.0f, total %.0f\nVersion: %s\n",
               number(net, "connections_in"), number(net, "connections_out"),
               number(net, "connections"), string(net, "subversion"));
        if (ask(client, "getwalletinfo", NULL, &wallet, NULL)) {
            printf("\nWallet: \"%s\"\nBalance: %.8f\n", string(wallet, "walletname"),
                   number(wallet, "balance"));
        }
        const json_t *warnings = json_object_get(chain, "warnings");
        printf("\nWarnings:%s\n", json_array_size(warnings) == 0 ? " (none)" : "");
        json_array_foreach(warnings, i, warning)
        {
            printf("%s\n", json_string_value(warning));
        }
    }
    json_decref(chain);
    json_decref(net);
    json_decref(wallet);
    return status;
}

/* ---- -netinfo ----------------------------------------------------------------------------------
 */

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* A time in milliseconds, or "" where it is not known. */
static const char *milliseconds(const json_t *peer, const char *key, char text[16])
{
    const json_t *seconds = json_object_get(peer, key);
    text[0] = 0;
    if (seconds) {
        snprintf(text, 16, "%.0f", 1000 * json_number_value(seconds));
    }
    return text;
}

static void print_peers(const json_t *peers)
{
    json_t *peer;
    size_t i;
    printf("\n<->  %-20s %-22s %7s %7s %6s %5s  %-40s %s\n", "type", "network", "mping", "ping",
           "age", "id", "address", "version");
    json_array_foreach(peers, i, peer)
    {
        char least[16], last[16];
        printf("%-4s %-20s %-22s %7s %7s %6.0f %5.0f  %-40s %.0f%s\n",
               is_true(peer, "inbound") ? "in" : "out", string(peer, "connection_type"),
               string(peer, "network"), milliseconds(peer, "minping", least),
               milliseconds(peer, "pingtime", last),
               ((double)fx_clock_real() - number(peer, "conntime")) / 60, number(peer, "id"),
               string(peer, "addr"), number(peer, "version"), string(peer, "subver"));
    }
    printf("     mping, ping: milliseconds, the least and the last; age: minutes\n");
}

static void count_peers(const json_t *peers, bool inbound)
{
    static const char *const networks[] = {"ipv4", "ipv6", "not_publicly_routable"};
    unsigned counts[3] = {0}, all = 0;
    json_t *peer;
    size_t i;
    json_array_foreach(peers, i, peer)
    {
        for (size_t n = 0; n < 3 && is_true(peer, "inbound") == inbound; n++) {
            counts[n] += strcmp(string(peer, "network"), networks[n]) == 0;
        }
        all += is_true(peer, "inbound") == inbound;
    }
    printf("%-6s %6u %6u %6u %6u\n", inbound ? "in" : "out", counts[0], counts[1], counts[2], all);
}

int fx_cli_netinfo(struct fx_rpc_client *client, char *const *words, size_t n)
{
    json_t *net = NULL, *peers = NULL;
    int status = EXIT_SUCCESS;
    if (n > 1 || (n == 1 && (strlen(words[0]) != 1 || words[0][0] < '0' || words[0][0] > '4'))) {
        fprintf(stderr, "error: -netinfo takes a level from 0 to 4\n");
        return EXIT_FAILURE;
    }
    if (ask(client, "getnetworkinfo", NULL, &net, &status) &&
        ask(client, "getpeerinfo", NULL, &peers, &status)) {
        printf("Node: %s, protocol %.0f\n", string(net, "subversion"),
               number(net, "protocolversion"));
        if (n == 1 && words[0][0] != '0') {
            print_peers(peers);
        }
        printf("\n%-6s %6s %6s %6s %6s\n", "", "ipv4", "ipv6", "npr", "total");
        count_peers(peers, true);
        count_peers(peers, false);
        printf("%-6s %6s %6s %6s %6zu\n", "total", "", "", "", json_array_size(peers));
    }
    json_decref(net);
    json_decref(peers);
    return status;
}

/* ---- -generate ---------------------------------------------------------------------------------
 */

/* A whole number above 0. */
static bool count(const char *word, json_int_t *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoll(word, &end, 10);
    return errno == 0 && *word >= '0' && *word <= '9' && *end == 0 && *out > 0;
}

int fx_cli_generate(struct fx_rpc_client *client, char *const *words, size_t n)
{
    json_t *address = NULL, *blocks = NULL;
    json_int_t n_blocks = 1, tries = 1000000;
    int status = EXIT_SUCCESS;
    if (n > 2) {
        fprintf(stderr, "error: too many arguments (maximum 2 for nblocks and maxtries)\n");
        return EXIT_FAILURE;
    }
    if ((n > 0 && !count(words[0], &n_blocks)) || (n > 1 && !count(words[1], &tries))) {
        fprintf(stderr, "error: the arguments of -generate (number of blocks, default: 1; tries) "
                        "must be whole numbers above 0\n");
        return EXIT_FAILURE;
    }
    if (ask(client, "getnewaddress", NULL, &address, &status) &&
        ask(client, "generatetoaddress", json_pack("[IOI]", n_blocks, address, tries), &blocks,
            &status)) {
        json_t *out = json_pack("{s:O, s:O}", "address", address, "blocks", blocks);
        fx_cli_print(out);
        json_decref(out);
    }
    json_decref(address);
    json_decref(blocks);
    return status;
}
