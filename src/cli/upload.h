/* Uploading a matrix to the node as an operand: in pieces, going on where an earlier one broke off.
 */
#ifndef FX_CLI_UPLOAD_H
#define FX_CLI_UPLOAD_H

#include "src/cli/matrix.h"
#include "src/rpcclient/rpcclient.h"

/* Checks every entry and names the upload after content and shape. id holds 65 characters. False:
 * error says why. */
bool fx_upload_prepare(const struct fx_matrix *m, char id[65], char error[FX_MATRIX_ERROR]);
/* Uploads what is missing and gives the root (64 hex digits). Progress goes to stderr. */
bool fx_upload_run(struct fx_rpc_client *client, const struct fx_matrix *m, const char *id,
                   char root[65], char error[FX_MATRIX_ERROR]);

#endif
