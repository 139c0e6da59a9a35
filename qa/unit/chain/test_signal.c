/* Tests of BIP9: which deployments blocks have signalled for. */
#include <stdlib.h>

#include "qa/unit/harness.h"
#include "src/iface/chain.h"
#include "src/util/mem.h"

#define BIT 5
#define SIGNAL ((int32_t)(UINT32_C(0x20000000) | 1u << BIT))
#define N (5 * FX_SIGNAL_PERIOD)

/* A chain of N blocks in which `signals` blocks of the third period signal, its last ones. */
static struct fx_index *make(unsigned signals)
{
    struct fx_index *chain = fx_xcalloc(N, sizeof(*chain));

    for (unsigned i = 0; i < N; i++) {
        chain[i].height = i;
        chain[i].parent = i > 0 ? &chain[i - 1] : NULL;
        chain[i].header.version = 0x20000000;
        if (i / FX_SIGNAL_PERIOD == 2 && FX_SIGNAL_PERIOD - i % FX_SIGNAL_PERIOD <= signals) {
            chain[i].header.version = SIGNAL;
        }
    }
    return chain;
}

/* The state of the block at this height. */
static void expect(const struct fx_index *chain, uint32_t height, enum fx_signal_state state,
                   uint32_t since)
{
    uint32_t at;

    FX_CHECK_INT(fx_index_signal_state(height > 0 ? &chain[height - 1] : NULL, BIT, &at), state);
    FX_CHECK_INT(at, since);
}

FX_TEST(signals_are_bits_under_the_top_bits)
{
    struct fx_index index = {.header = {.version = SIGNAL}};

    FX_CHECK(fx_index_signals(&index, BIT));
    FX_CHECK(!fx_index_signals(&index, BIT + 1));
    index.header.version = (int32_t)(UINT32_C(0x60000000) | 1u << BIT);
    FX_CHECK(!fx_index_signals(&index, BIT));
    index.header.version = 1 << BIT;
    FX_CHECK(!fx_index_signals(&index, BIT));
}

FX_TEST(a_period_of_signals_locks_in_and_the_next_activates)
{
    struct fx_index *chain = make(FX_SIGNAL_THRESHOLD);

    expect(chain, 0, FX_SIGNAL_DEFINED, 0);
    expect(chain, FX_SIGNAL_PERIOD - 1, FX_SIGNAL_DEFINED, 0);
    expect(chain, FX_SIGNAL_PERIOD, FX_SIGNAL_STARTED, FX_SIGNAL_PERIOD);
    expect(chain, 3 * FX_SIGNAL_PERIOD - 1, FX_SIGNAL_STARTED, FX_SIGNAL_PERIOD);
    expect(chain, 3 * FX_SIGNAL_PERIOD, FX_SIGNAL_LOCKED_IN, 3 * FX_SIGNAL_PERIOD);
    expect(chain, 4 * FX_SIGNAL_PERIOD - 1, FX_SIGNAL_LOCKED_IN, 3 * FX_SIGNAL_PERIOD);
    expect(chain, 4 * FX_SIGNAL_PERIOD, FX_SIGNAL_ACTIVE, 4 * FX_SIGNAL_PERIOD);
    expect(chain, N, FX_SIGNAL_ACTIVE, 4 * FX_SIGNAL_PERIOD);
    free(chain);
}

FX_TEST(one_signal_too_few_locks_nothing_in)
{
    struct fx_index *chain = make(FX_SIGNAL_THRESHOLD - 1);

    expect(chain, 3 * FX_SIGNAL_PERIOD, FX_SIGNAL_STARTED, FX_SIGNAL_PERIOD);
    expect(chain, N, FX_SIGNAL_STARTED, FX_SIGNAL_PERIOD);
    /* Signals of the first period come before anybody asks for them. */
    for (unsigned i = 0; i < FX_SIGNAL_PERIOD; i++) {
        chain[i].header.version = SIGNAL;
    }
    expect(chain, 2 * FX_SIGNAL_PERIOD, FX_SIGNAL_STARTED, FX_SIGNAL_PERIOD);
    free(chain);
}
