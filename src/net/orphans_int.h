/* Transactions whose inputs are not known yet. Bounded; the pool makes room at random. */
#ifndef FX_NET_ORPHANS_INT_H
#define FX_NET_ORPHANS_INT_H

#include "consensus/tx.h"

struct fx_orphans; /* opaque */

struct fx_orphans *fx_orphans_create(void);
void fx_orphans_destroy(struct fx_orphans *orphans);
/* Takes its own reference. False: known already, or too heavy. */
bool fx_orphans_add(struct fx_orphans *orphans, const struct fx_tx *tx, uint64_t peer,
                    int64_t now_ms);
bool fx_orphans_has(const struct fx_orphans *orphans, const struct fx_hash *wtxid);
size_t fx_orphans_count(const struct fx_orphans *orphans);
/* Takes out one orphan that spends an output of txid, NULL: none. The caller owns the reference;
 * *peer sent it. */
const struct fx_tx *fx_orphans_take_child(struct fx_orphans *orphans, const struct fx_hash *txid,
                                          uint64_t *peer);
void fx_orphans_peer_gone(struct fx_orphans *orphans, uint64_t peer);
void fx_orphans_expire(struct fx_orphans *orphans, int64_t now_ms);
/* Those that a block confirmed or made impossible. */
void fx_orphans_confirmed(struct fx_orphans *orphans, const struct fx_tx *tx);

#endif
