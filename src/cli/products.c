/* Pairs of matrices: how exact their product can be, and what is uploaded for it. */
#include "src/cli/products.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/upload.h"
#include "src/util/mem.h"

#define PRODUCTS_MAX 256 /* of a job, as the node has it */
#define PRINTED_MAX 8
#define ZERO_ROOT "0000000000000000000000000000000000000000000000000000000000000000"

bool fx_products_set_scale(struct fx_products *p, const char *scale, char error[FX_MATRIX_ERROR])
{
    char *end = NULL;
    if (!scale) {
        return true;
    }
    p->scale_a = p->scale_b = strtod(scale, &end);
    if (*end == ',') {
        p->scale_b = strtod(end + 1, &end);
    }
    if (*end == 0 && end != scale && p->scale_a >= 1e-200 && p->scale_a <= 1e200 &&
        p->scale_b >= 1e-200 && p->scale_b <= 1e200) {
        return true;
    }
    snprintf(error, FX_MATRIX_ERROR,
             "--scale=%.60s: a positive number is expected, or two as 128,64 for A and B", scale);
    return false;
}

bool fx_products_scaled(const struct fx_products *p, char error[FX_MATRIX_ERROR])
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->list[i].a.npy.is_float || p->list[i].b.npy.is_float) {
            return true;
        }
    }
    snprintf(error, FX_MATRIX_ERROR, "--scale is of floats: these matrices have integers");
    return false;
}

/* The largest magnitude of the class of entries: of those that one limb holds, of int8, or what
 * there is. */
static uint64_t class_of(const struct fx_matrix *m)
{
    return m->limbs == 1 ? 64 : m->largest <= 128 ? 128 : m->largest;
}

/* Sums of products of integers over both scales; protocol arithmetic is exact, so what is lost is
 * lost in rounding the entries, and in the last division. */
static double error_of(const struct fx_matrix *a, const struct fx_matrix *b)
{
    double ea = fx_matrix_rounding(a), eb = fx_matrix_rounding(b), k = (double)a->depth;
    double ma = (double)a->largest / a->scale, mb = (double)b->largest / b->scale;
    const double division = 4.5e-16; /* above 4 times 2^-53 */
    return k * (ma * eb + mb * ea + ea * eb) + k * ma * mb * division;
}

static bool choose_type(struct fx_product *p, char error[FX_MATRIX_ERROR])
{
    const struct fx_matrix *a = &p->a, *b = &p->b;
    uint64_t bound, class_a = class_of(a), class_b = class_of(b); /* below 2^21 */
    if (__builtin_mul_overflow(a->largest * b->largest, a->depth, &bound) || bound > INT64_MAX) {
        snprintf(error, FX_MATRIX_ERROR,
                 "%.200s, %.200s: sums of %" PRIu64 " products may not fit 64 bits: a smaller "
                 "--scale is needed",
                 p->path_a, p->path_b, a->depth);
        return false;
    }
    if (a->npy.is_float || b->npy.is_float) {
        p->type = "float64";
        p->error = error_of(a, b);
    } else if (class_a <= 128 && class_b <= 128 && class_a * class_b * a->depth <= INT32_MAX) {
        p->type = "int32";
    } else {
        p->type = "int64";
    }
    return true;
}

static bool check_shapes(const struct fx_product *p, char error[FX_MATRIX_ERROR])
{
    if (p->a.depth == p->b.depth) {
        return true;
    }
    snprintf(error, FX_MATRIX_ERROR,
             "%.150s is %" PRIu64 " x %" PRIu64 " and %.150s is %" PRIu64 " x %" PRIu64
             ": the columns of A must be as many as the rows of B",
             p->path_a, p->a.npy.rows, p->a.npy.columns, p->path_b, p->b.npy.rows,
             p->b.npy.columns);
    return false;
}

bool fx_products_add(struct fx_products *p, const char *a, const char *b,
                     char error[FX_MATRIX_ERROR])
{
    if (p->n == PRODUCTS_MAX) {
        snprintf(error, FX_MATRIX_ERROR, "a job has at most %d products", PRODUCTS_MAX);
        return false;
    }
    p->list = fx_xreallocarray(p->list, p->n + 1, sizeof(*p->list));
    struct fx_product *product = &p->list[p->n++];
    memset(product, 0, sizeof(*product));
    product->path_a = fx_xstrdup(a);
    product->path_b = fx_xstrdup(b);
    return fx_matrix_open(&product->a, product->path_a, false, error) &&
           fx_matrix_open(&product->b, product->path_b, true, error) &&
           check_shapes(product, error) && fx_matrix_scan(&product->a, p->scale_a, error) &&
           fx_matrix_scan(&product->b, p->scale_b, error) && choose_type(product, error);
}

/* One line of a list; it is changed. */
static bool add_line(struct fx_products *p, const char *path, unsigned number, char *line,
                     char error[FX_MATRIX_ERROR])
{
    static const char blanks[] = " \t\r\n";
    char *rest = NULL;
    const char *a = strtok_r(line, blanks, &rest), *b = strtok_r(NULL, blanks, &rest);
    if (!a || *a == '#') {
        return true;
    }
    if (!b || strtok_r(NULL, blanks, &rest)) {
        snprintf(error, FX_MATRIX_ERROR, "%.300s: line %u: two files are expected, A.npy B.npy",
                 path, number);
        return false;
    }
    if (fx_products_add(p, a, b, error)) {
        return true;
    }
    char why[FX_MATRIX_ERROR];
    memcpy(why, error, sizeof(why));
    snprintf(error, FX_MATRIX_ERROR, "%.100s: line %u: %.380s", path, number, why);
    return false;
}

bool fx_products_add_list(struct fx_products *p, const char *path, char error[FX_MATRIX_ERROR])
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t cap = 0;
    unsigned number = 0;
    bool ok = true;
    if (!file) {
        snprintf(error, FX_MATRIX_ERROR, "%.300s: %s", path, strerror(errno));
        return false;
    }
    while (ok && getline(&line, &cap, file) >= 0) {
        ok = add_line(p, path, ++number, line, error);
    }
    free(line);
    if (ok && ferror(file)) {
        snprintf(error, FX_MATRIX_ERROR, "%.300s: cannot be read", path);
        ok = false;
    }
    (void)fclose(file);
    if (ok && p->n == 0) {
        snprintf(error, FX_MATRIX_ERROR, "%.300s: it names no matrices", path);
        ok = false;
    }
    return ok;
}

void fx_products_clear(struct fx_products *p)
{
    for (size_t i = 0; i < p->n; i++) {
        fx_matrix_close(&p->list[i].a);
        fx_matrix_close(&p->list[i].b);
        free(p->list[i].path_a);
        free(p->list[i].path_b);
    }
    free(p->list);
}

/* ---- for the node ------------------------------------------------------------------------------
 */

static json_t *product_json(const struct fx_product *p)
{
    json_t *out = json_object(), *parts = json_array();
    for (uint64_t i = 0; i < p->a.n_parts; i++) {
        json_array_append_new(parts,
                              json_pack("{s:s, s:s}", "root_a", ZERO_ROOT, "root_b", ZERO_ROOT));
    }
    json_object_set_new(out, "rows", json_integer((json_int_t)p->a.rows));
    json_object_set_new(out, "columns", json_integer((json_int_t)p->b.rows));
    json_object_set_new(out, "depth", json_integer((json_int_t)p->a.depth));
    json_object_set_new(out, "limbs_a", json_integer((json_int_t)p->a.limbs));
    json_object_set_new(out, "limbs_b", json_integer((json_int_t)p->b.limbs));
    json_object_set_new(out, "type", json_string(p->type));
    json_object_set_new(out, "scale_a", json_real(p->a.scale));
    json_object_set_new(out, "scale_b", json_real(p->b.scale));
    json_object_set_new(out, "error", json_real(p->error));
    json_object_set_new(out, "parts", parts);
    return out;
}

json_t *fx_products_json(const struct fx_products *p)
{
    json_t *out = json_array();
    for (size_t i = 0; i < p->n; i++) {
        json_array_append_new(out, product_json(&p->list[i]));
    }
    return out;
}

static bool upload(struct fx_rpc_client *client, const struct fx_matrix *m, uint64_t part,
                   json_t *parts, const char *key, char error[FX_MATRIX_ERROR])
{
    char root[65];
    if (!fx_upload_run(client, m, part, root, error)) {
        return false;
    }
    json_object_set_new(json_array_get(parts, (size_t)part), key, json_string(root));
    return true;
}

bool fx_products_upload(struct fx_rpc_client *client, const struct fx_products *p, json_t *products,
                        char error[FX_MATRIX_ERROR])
{
    for (size_t i = 0; i < p->n; i++) {
        json_t *parts = json_object_get(json_array_get(products, i), "parts");
        for (uint64_t part = 0; part < p->list[i].a.n_parts; part++) {
            if (!upload(client, &p->list[i].a, part, parts, "root_a", error) ||
                !upload(client, &p->list[i].b, part, parts, "root_b", error)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- for the user ------------------------------------------------------------------------------
 */

static void print_product(const struct fx_product *p, FILE *to)
{
    const struct fx_matrix *a = &p->a, *b = &p->b;
    uint64_t n = a->limbs * b->limbs * a->n_parts;
    fprintf(to, "Product:   gemm %" PRIu64 " x %" PRIu64 " x %" PRIu64 ", as %" PRIu64 " product%s",
            a->rows, a->depth, b->rows, n, n == 1 ? "" : "s");
    if (n > 1) {
        fprintf(to, ": %u x %u limbs, %" PRIu64 " part%s of the depth", a->limbs, b->limbs,
                a->n_parts, a->n_parts == 1 ? "" : "s");
    }
    if (strcmp(p->type, "float64") == 0) {
        fprintf(to, "\nResult:    float64, each entry within %.6g (scale %.10g and %.10g)\n",
                p->error, a->scale, b->scale);
    } else {
        fprintf(to, "\nResult:    %s, exact\n", p->type);
    }
}

void fx_products_print(const struct fx_products *p, FILE *to)
{
    for (size_t i = 0; i < p->n && i < PRINTED_MAX; i++) {
        print_product(&p->list[i], to);
    }
    if (p->n > PRINTED_MAX) {
        fprintf(to, "and %zu products more\n", p->n - PRINTED_MAX);
    }
}
