/* JSON for people: indented, amounts with eight places. */
#ifndef FX_RPCCLIENT_PRINT_H
#define FX_RPCCLIENT_PRINT_H

#include <jansson.h>

#include "src/util/buf.h"

/* No newline at the end. Numbers with a point are written with eight places where that is the same
 * number, as the node writes amounts. */
void fx_json_print(const json_t *value, struct fx_buf *out);

#endif
