/* The products that a submitjob names: two files, or a list of pairs of them, opened and looked at,
 * and what they are as the node's call describes them. */
#ifndef FX_CLI_PRODUCTS_H
#define FX_CLI_PRODUCTS_H

#include <jansson.h>

#include "src/cli/matrix.h"
#include "src/rpcclient/rpcclient.h"

struct fx_product {
    struct fx_matrix a, b; /* b transposed */
    char *path_a, *path_b; /* owned */
    const char *type;      /* of the result's entries: int32, int64, float64 */
    double error;          /* float64: the most that one can be wrong by */
};

struct fx_products {
    struct fx_product *list;
    size_t n;
    double scale_a, scale_b; /* of floats; 0: chosen */
};

/* scale: "S" for all, or "SA,SB"; NULL: chosen. */
bool fx_products_set_scale(struct fx_products *p, const char *scale, char error[FX_MATRIX_ERROR]);
/* Is there a matrix that a scale is of? False: error says that there is none. */
bool fx_products_scaled(const struct fx_products *p, char error[FX_MATRIX_ERROR]);
/* Opens a pair. False: error says which file is wrong, and how. */
bool fx_products_add(struct fx_products *p, const char *a, const char *b,
                     char error[FX_MATRIX_ERROR]);
/* Opens the pairs of a list: a line a pair, separated by blanks; empty lines and those that begin
 * with # are passed over. */
bool fx_products_add_list(struct fx_products *p, const char *path, char error[FX_MATRIX_ERROR]);
void fx_products_clear(struct fx_products *p);

/* The field `products` of the calls, with roots of zero: for a quote. */
json_t *fx_products_json(const struct fx_products *p);
/* Uploads all operands and sets their roots in that. */
bool fx_products_upload(struct fx_rpc_client *client, const struct fx_products *p, json_t *products,
                        char error[FX_MATRIX_ERROR]);
/* A line or more on each for the user: what is multiplied how, and how exact that is. */
void fx_products_print(const struct fx_products *p, FILE *to);

#endif
