/*
 * The wallets of a node: making and ending the set. What others may ask of it stands in
 * src/iface/wallet.h.
 */
#ifndef FX_WALLET_WALLETS_H
#define FX_WALLET_WALLETS_H

#include "src/iface/chain.h"
#include "src/iface/mempool.h"
#include "src/iface/net.h"
#include "src/iface/wallet.h"

struct fx_wallets_config {
    const struct fx_params *params;
    struct fx_chain *chain; /* outlives the wallets, as the pool does */
    struct fx_mempool *mempool;
    const char *dir; /* of this network; one folder a wallet is in its wallets/ */
};

/*
 * Subscribes to the chain's and the pool's events for ever: create it after the pool, and destroy
 * it only when neither raises events any more. No wallet is loaded yet. NULL where the folder
 * cannot be made; *error says why and is the caller's to free.
 */
struct fx_wallets *fx_wallets_create(const struct fx_wallets_config *config, char **error);
void fx_wallets_destroy(struct fx_wallets *wallets); /* NULL: nothing */
/* Whom to tell of own transactions; NULL (at first): nobody. */
void fx_wallets_set_net(struct fx_wallets *wallets, struct fx_net *net);
/*
 * Submits own transactions that are not in the pool again, where the tip has changed since. Events
 * must not do that, so the node calls this from a timer, about each second.
 */
void fx_wallets_tick(struct fx_wallets *wallets);

#endif
