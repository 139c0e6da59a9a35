/* Uploading a matrix to the node as an operand: in pieces, going on where an earlier one broke off.
 */
#ifndef FX_CLI_UPLOAD_H
#define FX_CLI_UPLOAD_H

#include "src/cli/matrix.h"
#include "src/rpcclient/rpcclient.h"

/* Names the upload of a part after content and shape. id holds 65 characters. */
void fx_upload_name(const struct fx_matrix *m, uint64_t part, char id[65]);
/* Uploads what is missing of it and gives the root (64 hex digits). Progress goes to stderr. False:
 * error says why. */
bool fx_upload_run(struct fx_rpc_client *client, const struct fx_matrix *m, uint64_t part,
                   char root[65], char error[FX_MATRIX_ERROR]);

#endif
