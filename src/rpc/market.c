/* Commands on the market of tasks: the job book for solvers, and sums over recent blocks. */
#include <stdlib.h>
#include <string.h>

#include "src/iface/market.h"
#include "src/rpc/topics_int.h"

#define BOOK_COUNT 100 /* tasks, where the caller does not say */
#define BOOK_COUNT_MAX 10000

/* ---- getjobbook -------------------------------------------------------------------------------
 */

static const char *const bar_names[] = {NULL,        "claimed",  "exclusive",
                                        "worked-on", "too-late", "kind"};
static const char *const slot_names[] = {NULL, "waits", "anyone", "own", "other"};

#define OFFER_FIELDS                                                                               \
    "offer: { pay: amount     # For 1,000 bricks: escrow less burn, and what their credit gains\n" \
    "  why?: str              # Not offered: claimed (in the mempool), exclusive (to another, or " \
    "to nobody yet), worked-on (by another), too-late\n"                                           \
    "  place: int             # Of the solver among those that may take it; 0: it is the first\n"  \
    "  exclusive?: { for: str # waits (for the beacon), anyone, own, other\n"                      \
    "    solver?: hash\n"                                                                          \
    "    until: int }         # The last height at which only that solver may claim\n"             \
    "  worker?: { solver: hash  # Mined a block in it, as those do that work on it\n"              \
    "    since: time\n"                                                                            \
    "    overdue: bool } }    # It should have finished long ago\n"

static json_t *offer_json(const struct fx_offer *offer)
{
    json_t *out = json_object();
    fx_json_set(out, "pay", fx_json_amount((int64_t)(offer->pay * 1000)));
    if (offer->bar != FX_OFFER_FREE) {
        fx_json_set(out, "why", json_string(bar_names[offer->bar]));
    }
    fx_json_set(out, "place", json_integer(offer->place));
    if (offer->slot_end > 0) {
        json_t *slot = json_object();
        fx_json_set(slot, "for", json_string(slot_names[offer->slot]));
        if (offer->slot == FX_SLOT_OWN || offer->slot == FX_SLOT_OTHER) {
            fx_json_set(slot, "solver", fx_json_root(&offer->assignee));
        }
        fx_json_set(slot, "until", json_integer(offer->slot_end));
        fx_json_set(out, "exclusive", slot);
    }
    if (offer->worked_on) {
        json_t *worker = json_object();
        fx_json_set(worker, "solver", fx_json_root(&offer->worker));
        fx_json_set(worker, "since", json_integer(offer->worked_since));
        fx_json_set(worker, "overdue", json_boolean(offer->overdue));
        fx_json_set(out, "worker", worker);
    }
    return out;
}

#define SOLVER_FIELDS                                                                      \
    "{ solver: hash\n"                                                                     \
    "available: bool        # False: it did not claim in its last three exclusive slots\n" \
    "slots: int             # Of its last three exclusive slots those that are over\n"     \
    "missed: int            # And those in which it did not claim\n"                       \
    "blocks: int            # Of the job lane: its chances to be drawn\n"                  \
    "claims: int, bricks: int  # That it claimed\n"                                        \
    "speed?: num            # Bricks a second, by its claims\n"                            \
    "first: time, last: time }  # When it was seen\n"

static json_t *solvers_json(struct fx_jobs *jobs)
{
    const struct fx_solver_info *list;
    size_t n = fx_jobs_solvers(jobs, &list);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        fx_json_set(o, "solver", fx_json_root(&list[i].key));
        fx_json_set(o, "available", json_boolean(list[i].available));
        fx_json_set(o, "slots", json_integer(list[i].slots));
        fx_json_set(o, "missed", json_integer(list[i].missed));
        fx_json_set(o, "blocks", json_integer(list[i].blocks));
        fx_json_set(o, "claims", json_integer((json_int_t)list[i].claims));
        fx_json_set(o, "bricks", json_integer((json_int_t)list[i].bricks));
        if (list[i].speed > 0) {
            fx_json_set(o, "speed", json_real(list[i].speed));
        }
        fx_json_set(o, "first", json_integer(list[i].first));
        fx_json_set(o, "last", json_integer(list[i].last));
        json_array_append_new(out, o);
    }
    return out;
}

/* The solver that asks: that of the option, else the wallet's where there is one to choose. False
 * after fx_rpc_fail; *has tells whether there is one. */
static bool arg_solver(struct fx_rpc_call *call, const json_t *value, struct fx_hash *solver,
                       bool *has)
{
    struct fx_wallet_error error = {0, ""};
    const char **names = NULL;
    *has = true;
    if (value) {
        return fx_rpc_arg_root(call, value, "solver", solver);
    }
    size_t n = fx_wallet_list(call->rpc->config.wallets, &names);
    free(names);
    if (!call->wallet && n != 1) {
        *has = false;
        return true;
    }
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return false;
    }
    if (!fx_wallet_solver_key(wallet, solver, &error)) {
        fx_rpc_fail_wallet(call, &error);
        return false;
    }
    return true;
}

static json_t *tasks_json(struct fx_jobs *jobs, const struct fx_offer *offers, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        struct fx_task_info info;
        if (fx_jobs_task(jobs, &offers[i].origin, &info)) {
            json_t *o = fx_rpc_task_json(&info);
            fx_json_set(o, "offer", offer_json(&offers[i]));
            json_array_append_new(out, o);
        }
    }
    return out;
}

static json_t *getjobbook(struct fx_rpc_call *call)
{
    struct fx_jobs *jobs = call->rpc->config.jobs;
    const json_t *options = call->args[0];
    const json_t *speed = json_object_get(options, "speed");
    struct fx_offer_query query = {.solver = NULL};
    struct fx_hash solver;
    bool has_solver;
    int64_t count, skip;
    if (!arg_solver(call, json_object_get(options, "solver"), &solver, &has_solver) ||
        !fx_rpc_arg_burn(call, json_object_get(options, "burn"), &query.burn, &query.burn_amount) ||
        !fx_rpc_arg_int(call, json_object_get(options, "count"), "count", 0, BOOK_COUNT_MAX,
                        BOOK_COUNT, &count) ||
        !fx_rpc_arg_int(call, json_object_get(options, "skip"), "skip", 0, INT64_MAX, 0, &skip)) {
        return NULL;
    }
    query.speed = speed ? json_number_value(speed) : 0;
    if (query.speed < 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "speed is not negative");
    }
    query.solver = has_solver ? &solver : NULL;
    query.all = fx_rpc_arg_bool(json_object_get(options, "all"), false);
    query.skip = (size_t)skip;
    query.count = (size_t)count;
    struct fx_offer *offers = NULL;
    size_t total, n = fx_jobs_offers(jobs, &query, &offers, &total);
    json_t *out = json_object();
    fx_json_set(out, "height", json_integer(fx_chain_tip(call->rpc->config.chain)->height));
    if (has_solver) {
        fx_json_set(out, "solver", fx_json_root(&solver));
    }
    fx_json_set(out, "total", json_integer((json_int_t)total));
    fx_json_set(out, "tasks", tasks_json(jobs, offers, count > 0 ? n : 0));
    if (fx_rpc_arg_bool(json_object_get(options, "solvers"), true)) {
        fx_json_set(out, "solvers", solvers_json(jobs));
    }
    free(offers);
    return out;
}

static const struct fx_rpc_command getjobbook_command = {
    .name = "getjobbook",
    .text = "Returns the open tasks in the order in which a solver should take them, and what the "
            "last 2,016 blocks say of solvers. The order goes by pay a brick after burn, operands "
            "at hand, exclusive slots and speed, and spreads solvers over a job.",
    .args = "options?: {\n"
            "solver?: hash           # Its key; default: the wallet's\n"
            "speed?: num             # Bricks a second that it has for one task: what it cannot "
            "finish in time is not offered\n"
            "burn?: str|amount = auto  # auto, none or an amount a task: for the pay\n"
            "all?: bool = false      # Also those that are not offered, after the others\n"
            "count?: int = 100\n"
            "skip?: int = 0\n"
            "solvers?: bool = true } # False: without the field solvers",
    .result = "{ height: int           # Of the tip\n"
              "solver?: hash           # For whom the order is\n"
              "total: int              # Tasks, with those beyond count\n"
              "tasks: [ " FX_RPC_TASK_FIELDS OFFER_FIELDS "} ]\n"
              "solvers?: [             # Most claimed bricks first\n" SOLVER_FIELDS "] }",
    .errors = "-8: a parameter is out of range\n-18: no such wallet",
    .example = "\n'{\"speed\":8000,\"all\":true}'",
    .run = getjobbook,
};

/* ---- getmarketinfo ----------------------------------------------------------------------------
 */

#define SUM "{ tasks: int, bricks: int, escrow: amount }"

static json_t *amount_json(uint64_t embers)
{
    return fx_json_amount(embers > INT64_MAX ? INT64_MAX : (int64_t)embers);
}

static json_t *sum_json(const struct fx_market_sum *sum)
{
    json_t *out = json_object();
    fx_json_set(out, "tasks", json_integer((json_int_t)sum->tasks));
    fx_json_set(out, "bricks", json_integer((json_int_t)sum->bricks));
    fx_json_set(out, "escrow", amount_json(sum->escrow));
    return out;
}

/* Of one or two actions together. */
static json_t *actions_json(const struct fx_market_info *info, enum fx_task_action a,
                            enum fx_task_action b)
{
    struct fx_market_sum sum = info->actions[a];
    if (a != b) {
        sum.tasks += info->actions[b].tasks;
        sum.bricks += info->actions[b].bricks;
        sum.escrow += info->actions[b].escrow;
    }
    return sum_json(&sum);
}

/* Embers for 1,000 bricks of a sum. */
static json_t *price_json(const struct fx_market_sum *sum, uint64_t embers)
{
    return amount_json((uint64_t)((double)embers * 1000 / (double)sum->bricks));
}

static json_t *prices_json(const struct fx_market_info *info)
{
    json_t *out = json_object();
    struct fx_market_sum settled = info->actions[FX_ACTION_ACCEPT];
    settled.bricks += info->actions[FX_ACTION_TAKE].bricks;
    settled.escrow += info->actions[FX_ACTION_TAKE].escrow;
    if (info->open.bricks > 0) {
        fx_json_set(out, "open", price_json(&info->open, info->open.escrow));
        fx_json_set(out, "openleast", fx_json_amount(info->open_least));
        fx_json_set(out, "openmost", fx_json_amount(info->open_most));
    }
    if (info->offered.bricks > 0) {
        fx_json_set(out, "offered", price_json(&info->offered, info->offered.escrow));
    }
    if (settled.bricks > 0) {
        fx_json_set(out, "settled", price_json(&settled, settled.escrow));
        fx_json_set(out, "paid", price_json(&settled, info->pay));
    }
    return out;
}

static json_t *lane_json(const struct fx_market_info *info)
{
    json_t *out = json_object();
    fx_json_set(out, "blocks", json_integer(info->job_blocks));
    fx_json_set(out, "work", json_real(info->work));
    if (info->work > 0) {
        fx_json_set(out, "useful", json_real(info->useful / info->work));
    }
    if (info->seconds > 0) {
        fx_json_set(out, "rate", json_real(info->work / (double)info->seconds));
    }
    return out;
}

static json_t *getmarketinfo(struct fx_rpc_call *call)
{
    struct fx_market_info info;
    int64_t blocks;
    if (!fx_rpc_arg_int(call, call->args[0], "blocks", 1, FX_MARKET_LONGEST, FX_MARKET_WINDOW,
                        &blocks)) {
        return NULL;
    }
    fx_jobs_market(call->rpc->config.jobs, (uint32_t)blocks, &info);
    json_t *out = json_object();
    fx_json_set(out, "first", json_integer(info.first));
    fx_json_set(out, "last", json_integer(info.last));
    fx_json_set(out, "seconds", json_integer(info.seconds));
    fx_json_set(out, "open", sum_json(&info.open));
    fx_json_set(out, "offered", sum_json(&info.offered));
    fx_json_set(out, "claimed", actions_json(&info, FX_ACTION_CLAIM, FX_ACTION_CLAIM));
    fx_json_set(out, "settled", actions_json(&info, FX_ACTION_ACCEPT, FX_ACTION_TAKE));
    fx_json_set(out, "accepted", actions_json(&info, FX_ACTION_ACCEPT, FX_ACTION_ACCEPT));
    fx_json_set(out, "taken", actions_json(&info, FX_ACTION_TAKE, FX_ACTION_TAKE));
    fx_json_set(out, "refunded", actions_json(&info, FX_ACTION_REFUND, FX_ACTION_REFUND));
    fx_json_set(out, "challenged", actions_json(&info, FX_ACTION_CHALLENGE, FX_ACTION_CHALLENGE));
    fx_json_set(out, "answered", actions_json(&info, FX_ACTION_ANSWER, FX_ACTION_ANSWER));
    fx_json_set(out, "disputed", actions_json(&info, FX_ACTION_FRAUD, FX_ACTION_EXPIRE));
    fx_json_set(out, "rejected", actions_json(&info, FX_ACTION_REJECT, FX_ACTION_REJECT));
    fx_json_set(out, "burned", amount_json(info.burned));
    fx_json_set(out, "paid", amount_json(info.pay));
    fx_json_set(out, "prices", prices_json(&info));
    fx_json_set(out, "joblane", lane_json(&info));
    return out;
}

static const struct fx_rpc_command getmarketinfo_command = {
    .name = "getmarketinfo",
    .text = "Returns what happened on the market of tasks in the last blocks: sums of tasks, their "
            "bricks and escrows; prices; and how much of the job lane's work was useful.",
    .args = "blocks?: int = 2016    # At most 20160",
    .result =
        "{ first: int, last: int  # Heights of the window\n"
        "seconds: int           # That it took\n"
        "open: " SUM "          # Now\n"
        "offered: " SUM "       # Announced\n"
        "claimed: " SUM "\n"
        "settled: " SUM "       # By accept or take\n"
        "accepted: " SUM ", taken: " SUM "\n"
        "refunded: " SUM ", challenged: " SUM ", answered: " SUM "\n"
        "disputed: " SUM "      # Claims undone, by fraud or expire\n"
        "rejected: " SUM "\n"
        "burned: amount         # At settlement, of bonds, deposits and rejected escrows\n"
        "paid: amount           # Of settled escrows to solvers\n"
        "prices: {              # For 1,000 bricks, on average\n"
        "  open?: amount, openleast?: amount, openmost?: amount  # Of those open now\n"
        "  offered?: amount, settled?: amount  # Escrows\n"
        "  paid?: amount }      # Of the settled, less what was burned\n"
        "joblane: { blocks: int\n"
        "  work: num            # Bricks that its blocks took on average\n"
        "  useful?: num         # Share of it that settled tasks backed: what earned subsidy\n"
        "  rate?: num } }       # Bricks a second",
    .errors = "-8: blocks out of range",
    .example = "\n144",
    .run = getmarketinfo,
};

/* ---- of a quote -------------------------------------------------------------------------------
 */

void fx_rpc_exclusivity_json(struct fx_rpc_call *call, const struct fx_job_quote *quote,
                             json_t *out)
{
    struct fx_exclusive_outlook outlook;
    uint64_t bricks = (uint64_t)quote->task_rows * quote->task_cols * (quote->k / FX_DEPTH);
    json_t *o = json_object();
    fx_jobs_outlook(call->rpc->config.jobs, bricks, &outlook);
    fx_json_set(o, "draws", json_integer(outlook.chances));
    fx_json_set(o, "unavailable", json_integer(outlook.unavailable));
    fx_json_set(o, "proposed", json_integer(outlook.proposed));
    fx_json_set(out, "exclusivity", o);
    if (quote->exclusive > 0 && outlook.unavailable > 0) {
        fx_json_set(
            out, "warning",
            json_sprintf("%u of %u draws of the solver to which a task is exclusive fall on "
                         "solvers that did not claim in their last three slots: such a task "
                         "waits %u blocks for nobody. Proposed: exclusive %u",
                         outlook.unavailable, outlook.chances, quote->exclusive, outlook.proposed));
    }
}

static const struct fx_rpc_command *const commands[] = {
    &getjobbook_command,
    &getmarketinfo_command,
    NULL,
};

const struct fx_rpc_topic fx_rpc_topic_market = {"Market", commands, FX_RPC_WITH_JOBS};
