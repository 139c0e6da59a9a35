/* The lines of listtransactions: what each transaction means for the wallet. */
#include "wallet/wallet_int.h"

#include <stdlib.h>

#include "consensus/script.h"
#include "src/util/mem.h"

struct lines {
    struct fx_wallet_entry *at;
    size_t n, cap;
};

static struct fx_wallet_entry *add_line(struct lines *lines, const struct fx_wallet *wallet,
                                        const struct fx_wallet_tx *wtx, const char *category,
                                        uint32_t vout, int64_t amount)
{
    if (lines->n == lines->cap) {
        lines->cap = lines->cap ? lines->cap * 2 : 32;
        lines->at = fx_xreallocarray(lines->at, lines->cap, sizeof(*lines->at));
    }
    struct fx_wallet_entry *line = &lines->at[lines->n++];
    *line = (struct fx_wallet_entry){.txid = wtx->tx->txid,
                                     .category = category,
                                     .amount = amount,
                                     .script = wtx->tx->out[vout].script,
                                     .vout = vout,
                                     .confirmations = fx_wallet_confirmations(wallet, wtx),
                                     .block = wtx->block,
                                     .height = wtx->height,
                                     .time = wtx->time,
                                     .abandoned = wtx->abandoned,
                                     .trusted = fx_wallet_is_trusted(wallet, wtx),
                                     .comment = wtx->comment ? wtx->comment : "",
                                     .tx = wtx->tx};
    return line;
}

static bool is_task(struct fx_span script)
{
    return fx_script_is_task(script, NULL);
}

/* Makes or spends a task output. The spent output is not at hand, but its witness has the shape of
 * one: an action byte first, a preimage last. */
static bool touches_task(const struct fx_tx *tx, bool all_own)
{
    for (size_t i = 0; i < tx->n_out; i++) {
        if (is_task(tx->out[i].script)) {
            return true;
        }
    }
    for (size_t i = 0; !all_own && i < tx->n_in; i++) {
        const struct fx_txin *in = &tx->in[i];
        if (in->n_witness >= 2 && in->witness[0].len == 1 &&
            in->witness[0].data[0] <= FX_ACTION_REJECT &&
            in->witness[in->n_witness - 1].len >= FX_TASK_PREIMAGE_MIN) {
            return true;
        }
    }
    return false;
}

static void coinbase_lines(struct lines *lines, const struct fx_wallet *wallet,
                           const struct fx_wallet_tx *wtx)
{
    const char *category = wtx->height == 0                     ? "orphan"
                           : fx_wallet_is_immature(wallet, wtx) ? "immature"
                                                                : "generate";
    for (uint32_t i = 0; i < wtx->tx->n_out; i++) {
        if (fx_keys_of_script(wallet, wtx->tx->out[i].script)) {
            add_line(lines, wallet, wtx, category, i, wtx->tx->out[i].value);
        }
    }
}

/* An own payment: a line an output that is not change; and one more where it pays to itself. */
static void send_lines(struct lines *lines, const struct fx_wallet *wallet,
                       const struct fx_wallet_tx *wtx, int64_t debit)
{
    const struct fx_tx *tx = wtx->tx;
    int64_t out = 0;
    for (uint32_t i = 0; i < tx->n_out; i++) {
        out += tx->out[i].value;
    }
    for (uint32_t i = 0; i < tx->n_out; i++) {
        struct fx_span script = tx->out[i].script;
        const struct fx_wallet_key *key = fx_keys_of_script(wallet, script);
        bool announcement = fx_script_classify(script) == FX_SCRIPT_RETURN && tx->out[i].value == 0;
        if ((key && key->use == FX_KEY_CHANGE) || (announcement && touches_task(tx, true))) {
            continue;
        }
        add_line(lines, wallet, wtx, is_task(script) ? "task" : "send", i, -tx->out[i].value)->fee =
            out - debit;
        if (key) {
            add_line(lines, wallet, wtx, "receive", i, tx->out[i].value);
        }
    }
}

static void receive_lines(struct lines *lines, const struct fx_wallet *wallet,
                          const struct fx_wallet_tx *wtx)
{
    for (uint32_t i = 0; i < wtx->tx->n_out; i++) {
        if (fx_keys_of_script(wallet, wtx->tx->out[i].script)) {
            add_line(lines, wallet, wtx, "receive", i, wtx->tx->out[i].value);
        }
    }
}

/* Partly own inputs: one line with what it changes in all. */
static void mixed_line(struct lines *lines, const struct fx_wallet *wallet,
                       const struct fx_wallet_tx *wtx, int64_t debit)
{
    int64_t credit = 0;
    uint32_t first = 0;
    bool found = false;
    for (uint32_t i = 0; i < wtx->tx->n_out; i++) {
        if (fx_keys_of_script(wallet, wtx->tx->out[i].script)) {
            credit += wtx->tx->out[i].value;
            first = found ? first : i;
            found = true;
        }
    }
    const char *category = touches_task(wtx->tx, false) ? "task"
                           : credit < debit             ? "send"
                                                        : "receive";
    struct fx_wallet_entry *line = add_line(lines, wallet, wtx, category, first, credit - debit);
    /* Where this wallet made it, what it lost includes the fee: shown apart, as for a payment. */
    if (wtx->own && wtx->fee > 0 && debit - credit >= wtx->fee) {
        line->fee = -wtx->fee;
        line->amount += wtx->fee;
    }
}

size_t fx_wallet_history(const struct fx_wallet *wallet, struct fx_wallet_entry **entries)
{
    struct lines lines = {0};
    for (size_t i = 0; i < wallet->n_txs; i++) {
        const struct fx_wallet_tx *wtx = wallet->in_order[i];
        if (fx_tx_is_coinbase(wtx->tx)) {
            coinbase_lines(&lines, wallet, wtx);
            continue;
        }
        bool all;
        int64_t debit = fx_ledger_debit(wallet, wtx->tx, &all);
        if (all && debit > 0) {
            send_lines(&lines, wallet, wtx, debit);
        } else if (debit > 0 || touches_task(wtx->tx, false)) {
            mixed_line(&lines, wallet, wtx, debit);
        } else {
            receive_lines(&lines, wallet, wtx);
        }
    }
    *entries = lines.at ? lines.at : fx_xcalloc(1, sizeof(**entries));
    return lines.n;
}
