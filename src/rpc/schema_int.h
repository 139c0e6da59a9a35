/*
 * Descriptions of arguments and results: a small language, its reader, and checks of values.
 *
 *     height: int                     # What it is
 *     verbosity|verbose?: int = 1     # Optional, with what it is if not given, and an older name
 *     options?: {
 *       list: [ hash ]
 *       *: amount                     # any other key
 *     }
 *
 * Types: str hex hash int num amount time bool null any, objects { .. } and arrays [ .. ], joined
 * by `|`. A text after `#` belongs to the field before it; one on a line of its own goes on. Of a
 * whole object or array it stands behind the opening bracket. A result may have several forms, each
 * after a line "@ when".
 */
#ifndef FX_RPC_SCHEMA_INT_H
#define FX_RPC_SCHEMA_INT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "src/util/buf.h"

enum fx_schema_type {
    FX_SCHEMA_STR = 1 << 0,
    FX_SCHEMA_HEX = 1 << 1,    /* an even number of hex digits */
    FX_SCHEMA_HASH = 1 << 2,   /* 64 hex digits */
    FX_SCHEMA_INT = 1 << 3,    /* whole number */
    FX_SCHEMA_NUM = 1 << 4,    /* any number */
    FX_SCHEMA_AMOUNT = 1 << 5, /* FNX; as an argument a number or a string */
    FX_SCHEMA_TIME = 1 << 6,   /* unix seconds */
    FX_SCHEMA_BOOL = 1 << 7,
    FX_SCHEMA_NULL = 1 << 8,
    FX_SCHEMA_ANY = 1 << 9,
    FX_SCHEMA_OBJ = 1 << 10,
    FX_SCHEMA_ARR = 1 << 11
};

struct fx_schema {
    unsigned types;       /* enum fx_schema_type */
    char *key;            /* in an object or an argument list; "*": any; else NULL */
    char *alias;          /* of an argument: another name of it; NULL: none */
    bool optional;        /* likewise */
    char *fallback;       /* default of an argument, as text; NULL: none */
    char *text;           /* what it is; NULL: nothing said */
    char *when;           /* of a form of a result; NULL: the only one */
    struct fx_schema *in; /* fields of an object */
    size_t n_in;
    struct fx_schema *element; /* of an array */
};

/* A list of fields (arguments). NULL: error names the place. text NULL: an empty list. */
struct fx_schema *fx_schema_fields(const char *text, char error[160]);
/* Forms of a result: fields of the schema returned are the forms. */
struct fx_schema *fx_schema_forms(const char *text, char error[160]);
void fx_schema_destroy(struct fx_schema *schema); /* NULL: nothing */

/* True where value is of the type; else why says where it is not. */
bool fx_schema_match(const struct fx_schema *schema, const json_t *value, char why[160]);
/* True where value has one of the forms. */
bool fx_schema_match_forms(const struct fx_schema *forms, const json_t *value, char why[160]);
/* Only the JSON type, as arguments are checked: amounts may be strings. */
bool fx_schema_takes(const struct fx_schema *schema, const json_t *value);
/* NULL: "null". */
const char *fx_json_type_name(const json_t *value);
/* "string", "number or bool": the JSON types that it takes. */
void fx_schema_json_types(const struct fx_schema *schema, struct fx_buf *out);
/* "numeric", "string or boolean": for texts. */
void fx_schema_type_name(const struct fx_schema *schema, struct fx_buf *out);
/* As JSON, for programs that convert arguments or write documentation. */
json_t *fx_schema_json(const struct fx_schema *schema);

#endif
