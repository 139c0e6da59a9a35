/* The public call for task spends: each spend of the rules' own tests through it, with the same
 * answer and the same change; and bad arguments. */
#include "consensus/fornaxconsensus.h"

#include <string.h>

#include "qa/unit/consensus/spend_case.h"

/* The arguments of one call, made from a case. */
struct outside {
    struct fx_coin coins[2];
    struct fx_tx *tx;
    struct fx_ancestor beacon;
    fornaxconsensus_coin spent[2];
    fornaxconsensus_record record;
    uint8_t solvers[32 * FX_SCENE_HEIGHTS];
    fornaxconsensus_spend spend;
};

static void give_outpoint(const struct fx_outpoint *from, fornaxconsensus_outpoint *to)
{
    memcpy(to->txid, from->txid.b, 32);
    to->index = from->index;
}

static void give_record(const struct fx_outpoint *origin, const struct fx_task_record *from,
                        fornaxconsensus_record *to)
{
    memset(to, 0, sizeof(*to));
    give_outpoint(origin, &to->origin);
    if (from->live) {
        give_outpoint(&from->outpoint, &to->outpoint);
        to->live = 1;
        to->state = from->state;
    }
    to->backed = from->backed;
    to->asked = from->asked;
    to->h0 = from->h0;
    to->settled = from->settled;
    memcpy(to->client, from->client.b, 32);
    memcpy(to->solver, from->solver.b, 32);
    to->bricks = from->bricks;
    to->burn = from->burn;
}

static void leave(struct fx_spend_case *s, struct outside *o)
{
    const struct fx_view *view = &s->scene.view;
    uint32_t above = s->action == FX_ACTION_CLAIM && s->scene.n_records > 0
                         ? s->scene.records[0].record.h0
                         : s->coin_height;

    memset(o, 0, sizeof(*o));
    o->tx = fx_case_build(s, o->coins);
    for (size_t at = 0; at < 2; at++) {
        o->spent[at].scriptPubKey = o->coins[at].script;
        o->spent[at].scriptPubKeySize = o->coins[at].script_len;
        o->spent[at].value = o->coins[at].value;
        o->spent[at].height = o->coins[at].height;
    }
    if (s->scene.n_records > 0) {
        give_record(&s->scene.records[0].origin, &s->scene.records[0].record, &o->record);
        o->spend.record = &o->record;
    }
    if (view->beacon(view->ctx, above, &o->beacon) == FX_FOUND) {
        o->spend.beacon = o->beacon.id.b;
        o->spend.beacon_height = o->beacon.height;
    }
    for (uint32_t height = 0; height <= above; height++) {
        if (s->scene.lane[height] == FX_LANE_JOB) {
            memcpy(o->solvers + 32 * o->spend.n_solvers++, s->scene.solver[height].b, 32);
        }
    }
    o->spend.solvers = o->solvers;
    o->spend.network = FORNAXCONSENSUS_NETWORK_REGTEST;
    o->spend.height = s->height;
    o->spend.tx = o->tx->raw.data;
    o->spend.tx_len = o->tx->raw.len;
    o->spend.spent = o->spent;
    o->spend.n_spent = 2;
    o->spend.in = IN;
}

static void come_back(struct outside *o)
{
    fx_tx_unref(o->tx);
    fx_coin_clear(&o->coins[0]);
    fx_coin_clear(&o->coins[1]);
}

/* The call says what the rules say, and does to the record what they do. */
static void check_same(struct fx_spend_case *s)
{
    enum fx_result wanted = fx_case_run(s);
    fornaxconsensus_record record;
    fornaxconsensus_spent spent;
    const char *reject = "not set";
    struct outside o;
    uint8_t guard[sizeof(spent)];

    leave(s, &o);
    memset(&spent, 0xa5, sizeof(spent));
    memset(guard, 0xa5, sizeof(guard));
    FX_CHECK_INT(fornaxconsensus_connect_spend(&o.spend, &spent, &reject), wanted == FX_VALID);
    FX_CHECK(reject != NULL);
    FX_CHECK_STR(reject, fx_verdict_string(s->why));
    FX_CHECK_INT(fornaxconsensus_connect_spend(&o.spend, NULL, NULL), wanted == FX_VALID);
    if (wanted != FX_VALID) {
        FX_CHECK(memcmp(&spent, guard, sizeof(spent)) == 0);
        come_back(&o);
        return;
    }
    FX_CHECK_INT(spent.action, s->action);
    FX_CHECK(memcmp(spent.origin.txid, s->spent.origin.txid.b, 32) == 0);
    FX_CHECK_INT(spent.origin.index, s->spent.origin.index);
    FX_CHECK_INT(spent.burned, s->spent.burned);
    FX_CHECK_INT(spent.has_record, s->delta.n > 0);
    if (s->delta.n > 0) {
        const struct fx_record_change *change = fx_case_only_change(s);

        give_record(&change->origin, &change->after, &record);
        FX_CHECK(memcmp(&spent.record, &record, sizeof(record)) == 0);
    }
    come_back(&o);
}

FX_TEST(each_action)
{
    for (unsigned number = 0; number < FX_CASES; number++) {
        struct fx_spend_case s;

        fx_case_begin_any(&s, number);
        check_same(&s);
        FX_CHECK_INT(s.why, FX_OK);
        fx_case_end(&s);
    }
}

FX_TEST(each_action_refused)
{
    for (unsigned number = 0; number < FX_CASES; number++) {
        for (unsigned how = 0; how < 4; how++) {
            struct fx_spend_case s;

            fx_case_begin_any(&s, number);
            s.wrong_program = how == 0;
            s.bad_signature = how == 1;
            s.script_sig = how == 2;
            s.no_witness = how == 3;
            check_same(&s);
            fx_case_end(&s);
        }
    }
}

/* Signed by one of two solvers: the one whom the beacon draws may claim, the other may not. */
FX_TEST(exclusive_claims)
{
    unsigned taken = 0, refused = 0;

    for (unsigned other = 0; other < 2; other++) {
        for (unsigned height = 700; height < 704; height++) {
            struct fx_spend_case s;

            fx_case_begin_claim(&s);
            s.job.spec.exclusive = FX_EXCLUSIVE_MAX;
            fx_case_sync_spec(&s);
            s.next.spec = s.job.spec;
            s.scene.lane[height] = s.scene.lane[H0] = s.scene.lane[H0 + 1] = FX_LANE_JOB;
            s.scene.solver[other == 0 ? H0 : height] = s.solver.xonly;
            s.scene.solver[H0 + 1] = s.solver.xonly; /* above h0: does not count */
            check_same(&s);
            taken += s.why == FX_OK;
            refused += s.why == FX_BAD_TASK_EXCLUSIVE;
            fx_case_end(&s);
        }
    }
    FX_CHECK_INT(taken, 4);
    FX_CHECK_INT(refused, 4);
}

/* Without what the chain knows nothing is allowed that needs it. */
FX_TEST(what_is_not_there)
{
    struct fx_spend_case s;
    struct outside o;
    const char *reject;

    fx_case_begin_take(&s);
    leave(&s, &o);
    o.spend.beacon = NULL;
    FX_CHECK_INT(fornaxconsensus_connect_spend(&o.spend, NULL, &reject), 0);
    FX_CHECK_STR(reject, "bad-task-sample");
    o.spend.record = NULL;
    FX_CHECK_INT(fornaxconsensus_connect_spend(&o.spend, NULL, &reject), 0);
    FX_CHECK_STR(reject, "bad-task-record");
    o.spend.record = &o.record;
    o.record.origin.index++; /* another task's */
    FX_CHECK_INT(fornaxconsensus_connect_spend(&o.spend, NULL, &reject), 0);
    FX_CHECK_STR(reject, "bad-task-record");
    come_back(&o);
    fx_case_end(&s);
}

#define BAD(change)                                                                \
    do {                                                                           \
        struct fx_spend_case s;                                                    \
        struct outside o;                                                          \
        fornaxconsensus_spent spent;                                               \
        const char *reject = "not set";                                            \
        fx_case_begin_take(&s);                                                    \
        leave(&s, &o);                                                             \
        FX_CHECK_INT(fornaxconsensus_connect_spend(&o.spend, &spent, &reject), 1); \
        change;                                                                    \
        FX_CHECK_INT(fornaxconsensus_connect_spend(&o.spend, &spent, &reject), 0); \
        FX_CHECK(reject == NULL);                                                  \
        come_back(&o);                                                             \
        fx_case_end(&s);                                                           \
    } while (0)

FX_TEST(bad_arguments)
{
    const char *none = "not set";

    FX_CHECK_INT(fornaxconsensus_connect_spend(NULL, NULL, &none), 0);
    FX_CHECK(none == NULL);
    BAD(o.spend.network = 3);
    BAD(o.spend.tx = NULL);
    BAD(o.spend.tx_len--);
    BAD(o.spend.spent = NULL);
    BAD(o.spend.n_spent = 1; o.spend.in = 0);
    BAD(o.spend.n_spent = SIZE_MAX);
    BAD(o.spend.in = 2);
    BAD(o.spent[0].value = -1);
    BAD(o.spent[0].value = INT64_MAX);
    BAD(o.spent[0].scriptPubKey = NULL);
    BAD(o.record.state = 3);
    BAD(o.spend.beacon_height = H1);
    BAD(o.spend.beacon_height = o.spend.height);
    BAD(o.spend.n_solvers = FX_EXCLUSIVE_LOOKBACK + 1);
    BAD(o.spend.solvers = NULL; o.spend.n_solvers = 1);
}
