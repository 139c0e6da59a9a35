/* Opening and closing the blob store; all else is in src/iface/blobs.h. */
#ifndef FX_STORE_BLOB_H
#define FX_STORE_BLOB_H

#include "src/iface/blobs.h"

/* dir: the folder of the blobs (DIR/blobs), made where missing. NULL on failure; *error is the
 * caller's to free. */
struct fx_blobs *fx_blobs_open(const char *dir, char **error);
/* Bytes that blobs and uploads may take; 0: as many as the disk has, which is so at first. */
void fx_blobs_set_limit(struct fx_blobs *blobs, uint64_t bytes);
void fx_blobs_close(struct fx_blobs *blobs); /* NULL: nothing */

#endif
