/* Certificates: taking, relaying, and handing all of them to a new peer. */
#include "src/net/certs_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/net/rolling_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define BAD_SIGNATURE_SCORE 20

/* One that no claimed record explains yet: its claim may be in a block that is still to come. */
struct early {
    struct fx_msg_cert cert;
    uint64_t peer;
    int64_t until_ms;
};

struct fx_certs {
    struct early early[FX_EARLY_MAX];
    size_t n_early;
};

#define EARLY_MS 3600000

void fx_certs_create(struct fx_net *net)
{
    net->certs = fx_xcalloc(1, sizeof *net->certs);
}

void fx_certs_destroy(struct fx_net *net)
{
    free(net->certs);
    net->certs = NULL;
}

static struct fx_hash cert_hash(const struct fx_msg_cert *cert)
{
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_hash hash;

    fx_msg_cert_write(cert, &buf);
    fx_sha256(buf.data, buf.len, hash.b);
    fx_buf_clear(&buf);
    return hash;
}

static void send_to(struct fx_peer *peer, const struct fx_msg_cert *cert)
{
    struct fx_hash hash = cert_hash(cert);
    struct fx_buf buf = FX_BUF_INIT;

    if (fx_rolling_has(peer->blobs.known, &hash)) {
        return;
    }
    fx_rolling_add(peer->blobs.known, &hash);
    fx_msg_cert_write(cert, &buf);
    fx_peer_send(peer, "cert", &buf);
}

void fx_certs_relay(struct fx_net *net, const struct fx_msg_cert *cert)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        if (fx_peer_has_jobdata(net->peers[i])) {
            send_to(net->peers[i], cert);
        }
    }
}

/* False: not explained yet. */
static bool judge(struct fx_net *net, const struct fx_msg_cert *cert, uint64_t peer_id)
{
    struct fx_peer *peer = fx_net_peer(net, peer_id);

    switch (fx_jobs_cert(net->jobs, &cert->origin, &cert->program, cert->signature)) {
    case FX_CERT_IGNORED:
        return false;
    case FX_CERT_BAD:
        if (peer != NULL) {
            fx_peer_misbehaved(peer, BAD_SIGNATURE_SCORE, "certificate with a wrong signature");
        }
        return true;
    case FX_CERT_KNOWN:
        return true;
    case FX_CERT_NEW:
        fx_certs_relay(net, cert);
        return true;
    }
    return true;
}

static void keep_early(struct fx_peer *peer, const struct fx_msg_cert *cert)
{
    struct fx_certs *certs = peer->net->certs;
    struct early *early = NULL;

    for (size_t i = 0; i < certs->n_early; i++) {
        if (certs->early[i].peer == peer->id &&
            memcmp(&certs->early[i].cert, cert, sizeof *cert) == 0) {
            return;
        }
    }
    if (certs->n_early == FX_EARLY_MAX || peer->blobs.early >= FX_EARLY_PER_PEER) {
        return;
    }
    peer->blobs.early++;
    early = &certs->early[certs->n_early++];
    early->cert = *cert;
    early->peer = peer->id;
    early->until_ms = fx_clock_monotonic_ms() + EARLY_MS;
}

bool fx_handle_cert(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_msg_cert cert;
    struct fx_hash hash;

    if (!fx_msg_cert_read(r, &cert)) {
        return false;
    }
    if (peer->net->jobs == NULL || !fx_peer_has_jobdata(peer) ||
        !fx_rate_take(&peer->blobs.cert, 1, fx_clock_monotonic_ms())) {
        return true;
    }
    hash = cert_hash(&cert);
    fx_rolling_add(peer->blobs.known, &hash);
    if (!judge(peer->net, &cert, peer->id)) {
        keep_early(peer, &cert);
    }
    return true;
}

void fx_certs_tip_changed(struct fx_net *net)
{
    struct fx_certs *certs = net->certs;
    int64_t now_ms = fx_clock_monotonic_ms();

    for (size_t i = certs->n_early; net->jobs != NULL && i > 0; i--) {
        struct early early = certs->early[i - 1];
        struct fx_peer *peer = fx_net_peer(net, early.peer);

        /* Those of peers that are gone would fill the room of others. */
        if (judge(net, &early.cert, early.peer) || now_ms >= early.until_ms || peer == NULL) {
            if (peer != NULL && peer->blobs.early > 0) {
                peer->blobs.early--;
            }
            certs->early[i - 1] = certs->early[--certs->n_early];
        }
    }
}

static void visit(void *ctx, const struct fx_outpoint *origin, const struct fx_hash *program,
                  const uint8_t signature[64])
{
    struct fx_msg_cert cert = {.origin = *origin, .program = *program};

    memcpy(cert.signature, signature, sizeof cert.signature);
    send_to(ctx, &cert);
}

void fx_certs_peer_ready(struct fx_peer *peer)
{
    if (peer->blobs.known == NULL) {
        peer->blobs.known = fx_rolling_create(FX_ROOTS_MAX);
    }
    if (peer->net->jobs != NULL && fx_peer_has_jobdata(peer)) {
        fx_jobs_each_cert(peer->net->jobs, visit, peer);
    }
}
