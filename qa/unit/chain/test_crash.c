/*
 * Sudden death: a process that feeds the chain is killed at a chosen point; whoever opens the
 * folder after it finds every block that was acknowledged, and comes to the same state as a chain
 * that nothing ever happened to.
 *
 * The blocks (payments, a task through its life, both lanes, a reorganisation) are made once and
 * kept in a file. The process that dies is this program again, running crash.feed alone: a fork
 * without exec would share LevelDB's background thread, which fork does not copy.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qa/unit/chain/kit.h"
#include "qa/unit/harness.h"
#include "src/sys/file.h"

#define CACHE ((size_t)4 << 20)
#define BLOCKS_MAX 160
#define FLUSH_EVERY 9
#define BASE 104 /* blocks before anything happens */

#define ENV_DIR "FORNAX_UNIT_CHAIN_DIR"
#define ENV_BLOCKS "FORNAX_UNIT_CHAIN_BLOCKS"
#define ENV_ACKS "FORNAX_UNIT_CHAIN_ACKS"

struct script {
    struct fx_block *blocks[BLOCKS_MAX];
    size_t n;
    struct fx_txoutset set; /* after all of them */
};

/* ---- making the blocks ---- */

static void note(struct script *script, const struct fx_block *block)
{
    FX_CHECK(script->n < BLOCKS_MAX);
    script->blocks[script->n++] = fx_block_ref(block);
}

static const struct fx_index *mine(struct kit *kit, struct script *script, struct kit_block *spec)
{
    struct fx_block *block = kit_make(kit, spec);
    const struct fx_index *index = kit_accept(kit, block);

    note(script, block);
    fx_block_unref(block);
    return index;
}

static void mine_tx(struct kit *kit, struct script *script, struct fx_tx *tx)
{
    struct kit_block spec = {.value = -1, .fees = 1000, .txs = {fx_tx_ref(tx)}, .n_txs = 1};

    mine(kit, script, &spec);
}

static void live(struct kit *kit, struct script *script)
{
    struct kit_coin coin = kit_coinbase(kit, 1), bond = kit_coinbase(kit, 2);
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_tx *fund = kit_fund(kit, &coin, 8000000), *claim, *accept;
    struct kit_block job = {.value = -1, .task.txid = fund->txid};
    uint32_t h0;

    kit_preimage(kit, &preimage);
    mine_tx(kit, script, fund);
    h0 = fx_chain_tip(kit->chain)->height;
    job.preimage = (struct fx_span){preimage.data, preimage.len};
    mine(kit, script, &job);
    claim = kit_claim(kit, fund, h0, &bond, 4000000);
    mine_tx(kit, script, claim);
    accept = kit_accept_claim(kit, fund, claim, h0 + 2, 4000000);
    mine_tx(kit, script, accept);
    fx_tx_unref(fund);
    fx_tx_unref(claim);
    fx_tx_unref(accept);
    fx_buf_clear(&preimage);
}

/* A heavier branch that undoes the task, with a payment of its own, and the task's branch heavier
 * again. */
static void reorganise(struct kit *kit, struct script *script)
{
    const struct fx_index *old = fx_chain_tip(kit->chain);
    const struct fx_index *at = fx_index_ancestor(old, BASE);
    struct kit_coin coin = kit_coinbase(kit, 1);
    unsigned i;

    for (i = 0; i < 6; i++) {
        struct kit_block spec = {.value = -1, .salt = 5, .parent = at};

        if (i == 1) {
            spec.txs[spec.n_txs++] = kit_pay(kit, &coin, 3, 1000);
        }
        at = mine(kit, script, &spec);
    }
    FX_CHECK(fx_chain_tip(kit->chain) == at);
    for (i = 0; i < 3; i++) {
        struct kit_block spec = {.value = -1, .salt = 6, .parent = old};

        old = mine(kit, script, &spec);
    }
    FX_CHECK(fx_chain_tip(kit->chain) == old);
}

static void make_script(struct script *script)
{
    struct kit kit;
    unsigned i;

    memset(script, 0, sizeof(*script));
    kit_open(&kit, fx_unit_tmpdir(), CACHE);
    for (i = 0; i < BASE; i++) {
        struct kit_block spec = {.value = -1};

        mine(&kit, script, &spec);
    }
    live(&kit, script);
    reorganise(&kit, script);
    script->set = kit_set(&kit);
    kit_close(&kit);
}

static void script_clear(struct script *script)
{
    size_t i;

    for (i = 0; i < script->n; i++) {
        fx_block_unref(script->blocks[i]);
    }
}

/* ---- the file between the two processes: size u32, block ---- */

static void save(const struct script *script, const char *path)
{
    struct fx_buf buf = FX_BUF_INIT;
    size_t i;

    for (i = 0; i < script->n; i++) {
        fx_buf_u32(&buf, (uint32_t)script->blocks[i]->raw.len);
        fx_buf_bytes(&buf, script->blocks[i]->raw.data, script->blocks[i]->raw.len);
    }
    FX_CHECK(fx_file_write(path, buf.data, buf.len, 0600));
    fx_buf_clear(&buf);
}

static void load(struct script *script, const char *path)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    enum fx_verdict why;
    struct fx_reader r;
    uint8_t *data;
    size_t n;

    memset(script, 0, sizeof(*script));
    FX_CHECK(fx_file_read(path, 1 << 28, &data, &n));
    fx_reader_init(&r, data, n);
    while (r.left > 0) {
        uint32_t size = fx_read_u32(&r);
        struct fx_block *block = fx_block_parse(params, fx_read_bytes(&r, size), size, &why);

        FX_CHECK(block != NULL);
        note(script, block);
        fx_block_unref(block);
    }
    free(data);
}

/* ---- feeding ---- */

/* Feeds all blocks; each acknowledgement goes to fd as a byte. */
static void feed_all(struct kit *kit, const struct script *script, int fd)
{
    size_t i;

    for (i = 0; i < script->n; i++) {
        kit_accept(kit, script->blocks[i]);
        if (fd >= 0) {
            FX_CHECK(write(fd, "x", 1) == 1);
        }
        if (i % FLUSH_EVERY == FLUSH_EVERY - 1) {
            FX_CHECK(fx_chain_flush(kit->chain));
        }
    }
}

/* What the process that dies runs. By itself it is the plain case: fed to the end, closed, opened.
 */
FX_TEST(feed)
{
    const char *dir = getenv(ENV_DIR);
    struct script script;
    struct fx_txoutset set;
    struct kit kit;

    if (dir != NULL) {
        int fd = open(getenv(ENV_ACKS), O_WRONLY | O_CREAT | O_APPEND, 0600);

        load(&script, getenv(ENV_BLOCKS));
        kit_open(&kit, dir, CACHE);
        feed_all(&kit, &script, fd);
        kit_close(&kit);
        close(fd);
    } else {
        make_script(&script);
        dir = fx_unit_tmpdir();
        kit_open(&kit, dir, CACHE);
        feed_all(&kit, &script, -1);
        kit_reopen(&kit, dir, CACHE);
        set = kit_set(&kit);
        kit_check_same_set(&set, &script.set);
        kit_close(&kit);
    }
    script_clear(&script);
}

/* ---- dying ---- */

struct scene {
    struct script script;
    char *blocks;
};

static bool run_child(const struct scene *scene, const char *dir, const char *acks,
                      const char *point)
{
    int status;
    pid_t child = fork();

    FX_CHECK(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);

        dup2(null, 1);
        dup2(null, 2);
        setenv("FORNAX_CRASH_AT", point, 1);
        setenv(ENV_DIR, dir, 1);
        setenv(ENV_BLOCKS, scene->blocks, 1);
        setenv(ENV_ACKS, acks, 1);
        execl("/proc/self/exe", "test_chain", "crash.feed", (char *)NULL);
        _exit(127);
    }
    FX_CHECK(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) {
        FX_CHECK_INT(WTERMSIG(status), SIGKILL);
        return true;
    }
    FX_CHECK_INT(WEXITSTATUS(status), 0);
    return false;
}

static size_t size_of(const char *path)
{
    uint8_t *data;
    size_t n;

    if (!fx_file_read(path, 1 << 20, &data, &n)) {
        return 0;
    }
    free(data);
    return n;
}

/* The tip that a chain fed with the first n blocks has. */
static struct fx_hash tip_after(const struct scene *scene, size_t n)
{
    struct fx_hash tip;
    struct kit kit;
    size_t i;

    kit_open(&kit, fx_unit_tmpdir(), CACHE);
    for (i = 0; i < n; i++) {
        kit_accept(&kit, scene->script.blocks[i]);
    }
    tip = fx_chain_tip(kit.chain)->id;
    kit_close(&kit);
    return tip;
}

static void check_survivors(const struct scene *scene, const char *dir, size_t acknowledged)
{
    const struct script *script = &scene->script;
    struct fx_txoutset set;
    struct fx_hash tip, next;
    struct kit kit;
    size_t i;

    kit_open(&kit, dir, CACHE);
    for (i = 0; i < acknowledged; i++) {
        const struct fx_index *index = fx_chain_find(kit.chain, &script->blocks[i]->id);
        struct fx_block *block;

        FX_CHECK(index != NULL && (index->status & FX_INDEX_HAVE_DATA) != 0);
        block = fx_chain_read_block(kit.chain, index);
        FX_CHECK(block != NULL);
        FX_CHECK_INT(block->raw.len, script->blocks[i]->raw.len);
        FX_CHECK_MEM(block->raw.data, script->blocks[i]->raw.data, block->raw.len);
        fx_block_unref(block);
    }
    /* One more block may have made it than was told. */
    tip = tip_after(scene, acknowledged);
    next = tip_after(scene, acknowledged < script->n ? acknowledged + 1 : acknowledged);
    FX_CHECK(fx_hash_equal(&fx_chain_tip(kit.chain)->id, &tip) ||
             fx_hash_equal(&fx_chain_tip(kit.chain)->id, &next));
    for (i = 0; i < script->n; i++) {
        kit_accept(&kit, script->blocks[i]);
    }
    set = kit_set(&kit);
    kit_check_same_set(&set, &script->set);
    kit_close(&kit);
}

/* True: the child died there. */
static bool die_at(const struct scene *scene, const char *point)
{
    const char *dir = fx_unit_tmpdir();
    char *acks = fx_path_join(dir, "acks"), *chain = fx_path_join(dir, "chain");
    bool died = run_child(scene, chain, acks, point);
    size_t acknowledged = size_of(acks);

    if (died) {
        check_survivors(scene, chain, acknowledged);
    } else {
        FX_CHECK_INT(acknowledged, scene->script.n);
    }
    free(acks);
    free(chain);
    return died;
}

static void each_point(const char *const *points)
{
    struct scene scene;
    size_t i;

    make_script(&scene.script);
    scene.blocks = fx_path_join(fx_unit_tmpdir(), "blocks");
    save(&scene.script, scene.blocks);
    for (i = 0; points[i] != NULL; i++) {
        if (!die_at(&scene, points[i])) {
            FX_FAIL("%s was not reached", points[i]);
        }
    }
    free(scene.blocks);
    script_clear(&scene.script);
}

FX_TEST(while_a_block_is_stored)
{
    /* Number 1 of the block points is genesis; 107 is the job-lane block. */
    static const char *const points[] = {
        "block-write-torn:1",    "block-write-torn:60",  "block-write-before:1",
        "block-write-after:105", "index-write-before:1", "index-write-before:40",
        "index-write-after:1",   "index-write-after:41", NULL};

    each_point(points);
}

FX_TEST(while_a_block_is_connected)
{
    static const char *const points[] = {
        "connect-undo:1",    "undo-write-torn:1", "undo-write-torn:107", "connect-apply:1",
        "connect-apply:106", "connect-done:1",    "connect-done:108",    NULL};

    each_point(points);
}

FX_TEST(while_the_state_is_flushed)
{
    static const char *const points[] = {"flush-files:1",  "flush-files:5",  "flush-batch:2",
                                         "flush-batch:13", "flush-before:2", "flush-before:12",
                                         "flush-after:1",  "flush-after:12", NULL};

    each_point(points);
}

FX_TEST(while_the_chain_is_reorganised)
{
    static const char *const points[] = {
        "reorg-disconnect:1", "reorg-disconnect:3", "disconnect-apply:1", "disconnect-apply:4",
        "disconnect-done:2",  "disconnect-done:4",  "disconnect-done:6",  "reorg-connect:110",
        "reorg-connect:112",  "connect-apply:118",  "connect-done:112",   NULL};

    each_point(points);
}
