/* Task preimages, specs, records and work proofs: what is read is written as the same bytes. The
 * first byte of the input says which. */
#include "qa/fuzz/fuzz.h"

#include <string.h>

#include "consensus/params.h"
#include "consensus/task.h"
#include "consensus/work.h"

static void check_same(struct fx_buf *written, const uint8_t *data, size_t length)
{
    FX_FUZZ_CHECK(written->len == length &&
                  (length == 0 || memcmp(written->data, data, length) == 0));
}

static void check_preimage(const struct fx_params *params, struct fx_span bytes,
                           struct fx_buf *written)
{
    struct fx_task task;
    struct fx_task head;

    if (!fx_task_read(params, bytes, &task)) {
        return;
    }
    fx_task_write(&task, written);
    check_same(written, bytes.data, bytes.len);
    FX_FUZZ_CHECK(fx_task_read_head(bytes, &head));
    FX_FUZZ_CHECK(head.state == task.state && head.spec.deadline == task.spec.deadline);
    FX_FUZZ_CHECK(task.shape.tiles == (uint64_t)task.shape.rows * task.shape.cols);
    FX_FUZZ_CHECK(task.shape.bricks == task.shape.tiles * task.shape.depth);
}

static void check_spec(const struct fx_params *params, struct fx_span bytes, struct fx_buf *written)
{
    struct fx_task_spec spec;

    if (fx_task_spec_read(params, bytes, &spec)) {
        fx_task_spec_write(&spec, written);
        check_same(written, bytes.data, bytes.len);
    }
}

static void check_record(struct fx_reader *reader, struct fx_buf *written)
{
    struct fx_task_record record;
    struct fx_task_record again;
    struct fx_reader second;

    if (fx_task_record_read(reader, &record)) {
        fx_task_record_write(&record, written);
        fx_reader_init(&second, written->data, written->len);
        FX_FUZZ_CHECK(fx_task_record_read(&second, &again) && fx_reader_done(&second));
        FX_FUZZ_CHECK(fx_task_record_equal(&record, &again));
    }
}

static void check_proof(const struct fx_params *params, struct fx_reader *reader,
                        struct fx_buf *written, const uint8_t *data)
{
    struct fx_work_proof *proof = fx_work_proof_read(params, reader);

    if (proof != NULL) {
        fx_work_proof_write(proof, written);
        check_same(written, data, proof->size);
        fx_work_proof_destroy(proof);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    struct fx_span bytes;
    struct fx_reader reader;
    struct fx_buf written;

    if (length == 0) {
        return 0;
    }
    bytes.data = data + 1;
    bytes.len = length - 1;
    fx_reader_init(&reader, bytes.data, bytes.len);
    fx_buf_init(&written);
    switch (data[0] % 4) {
    case 0:
        check_preimage(params, bytes, &written);
        break;
    case 1:
        check_spec(params, bytes, &written);
        break;
    case 2:
        check_record(&reader, &written);
        break;
    case 3:
        check_proof(params, &reader, &written, bytes.data);
        break;
    }
    fx_buf_clear(&written);
    return 0;
}
