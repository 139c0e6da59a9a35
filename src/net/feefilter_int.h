/* feefilter (BIP133): below which fee rate a peer is not to announce transactions, and we are not.
 */
#ifndef FX_NET_FEEFILTER_INT_H
#define FX_NET_FEEFILTER_INT_H

#include "src/net/peer_int.h"

bool fx_handle_feefilter(struct fx_peer *peer, struct fx_reader *r);
/* Tells the peer, where it is time. */
void fx_feefilter_tick(struct fx_peer *peer);

#endif
