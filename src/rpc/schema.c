/* The language that describes arguments and results, and the checks of values against it. */
#include "src/rpc/schema_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

static const struct {
    const char *name;
    unsigned type;
    const char *shown;
} type_names[] = {
    {"str", FX_SCHEMA_STR, "string"},
    {"hex", FX_SCHEMA_HEX, "string (hex)"},
    {"hash", FX_SCHEMA_HASH, "string (64 hex digits)"},
    {"int", FX_SCHEMA_INT, "numeric"},
    {"num", FX_SCHEMA_NUM, "numeric"},
    {"amount", FX_SCHEMA_AMOUNT, "amount"},
    {"time", FX_SCHEMA_TIME, "numeric (unix time)"},
    {"bool", FX_SCHEMA_BOOL, "boolean"},
    {"null", FX_SCHEMA_NULL, "null"},
    {"any", FX_SCHEMA_ANY, "any"},
    {"object", FX_SCHEMA_OBJ, "object"},
    {"array", FX_SCHEMA_ARR, "array"},
};
#define N_TYPES (sizeof(type_names) / sizeof(type_names[0]))

struct parser {
    const char *start, *at;
    struct fx_schema *last; /* the field that a text belongs to */
    char *error;
    bool failed;
};

static void parse_fail(struct parser *p, const char *what)
{
    if (p->failed) {
        return;
    }
    unsigned line = 1;
    for (const char *s = p->start; s < p->at; s++) {
        line += *s == '\n';
    }
    p->failed = true;
    snprintf(p->error, 160, "line %u: %s at '%.20s'", line, what, p->at);
}

static void text_add(struct fx_schema *schema, const char *s, size_t n)
{
    while (n > 0 && *s == ' ') {
        s++;
        n--;
    }
    while (n > 0 && s[n - 1] == ' ') {
        n--;
    }
    struct fx_buf all = FX_BUF_INIT;
    if (schema->text) {
        fx_buf_printf(&all, "%s ", schema->text);
    }
    fx_buf_bytes(&all, s, n);
    fx_buf_u8(&all, 0);
    free(schema->text);
    schema->text = (char *)fx_buf_steal(&all, NULL);
}

/* Skips blanks and commas, and takes texts. */
static void skip(struct parser *p)
{
    for (;;) {
        if (*p->at == ' ' || *p->at == '\n' || *p->at == ',') {
            p->at++;
        } else if (*p->at == '#') {
            size_t n = strcspn(p->at, "\n");
            if (p->last) {
                text_add(p->last, p->at + 1, n - 1);
            }
            p->at += n;
        } else {
            return;
        }
    }
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '*' || c == '/';
}

static char *word(struct parser *p)
{
    const char *s = p->at;
    while (is_word(*p->at)) {
        p->at++;
    }
    size_t n = (size_t)(p->at - s);
    char *out = fx_xmalloc(n + 1);
    memcpy(out, s, n);
    out[n] = 0;
    return out;
}

static void parse_type(struct parser *p, struct fx_schema *schema);

/* Fields up to end ('}' or 0), which is left. The array may move, so `last` is set anew. */
static void parse_fields(struct parser *p, struct fx_schema *into, char end)
{
    size_t cap = 0;
    for (;;) {
        skip(p);
        if (p->failed || *p->at == end) {
            return;
        }
        if (!is_word(*p->at)) {
            parse_fail(p, "a name is expected");
            return;
        }
        if (into->n_in == cap) {
            cap = cap ? 2 * cap : 8;
            into->in = fx_xreallocarray(into->in, cap, sizeof(*into->in));
        }
        struct fx_schema *field = &into->in[into->n_in++];
        memset(field, 0, sizeof(*field));
        p->last = field;
        field->key = word(p);
        if (*p->at == '|') {
            p->at++;
            field->alias = word(p);
        }
        if (*p->at == '?') {
            field->optional = true;
            p->at++;
        }
        if (*p->at != ':') {
            parse_fail(p, "a colon is expected");
            return;
        }
        p->at++;
        parse_type(p, field);
        while (*p->at == ' ') {
            p->at++;
        }
        if (*p->at == '=') {
            p->at++;
            size_t n = strcspn(p->at, "#\n}");
            const char *s = p->at;
            p->at += n;
            while (n > 0 && *s == ' ') {
                s++;
                n--;
            }
            while (n > 0 && s[n - 1] == ' ') {
                n--;
            }
            field->fallback = fx_xmalloc(n + 1);
            memcpy(field->fallback, s, n);
            field->fallback[n] = 0;
        }
    }
}

static void parse_one(struct parser *p, struct fx_schema *schema)
{
    skip(p);
    if (*p->at == '{') {
        p->at++;
        schema->types |= FX_SCHEMA_OBJ;
        parse_fields(p, schema, '}');
        if (!p->failed) {
            p->at++;
        }
        return;
    }
    if (*p->at == '[') {
        p->at++;
        schema->types |= FX_SCHEMA_ARR;
        schema->element = fx_xcalloc(1, sizeof(*schema->element));
        parse_type(p, schema->element);
        skip(p);
        if (*p->at != ']') {
            parse_fail(p, "a ] is expected");
            return;
        }
        p->at++;
        return;
    }
    char *name = word(p);
    unsigned type = 0;
    for (size_t i = 0; i < N_TYPES; i++) {
        if (strcmp(type_names[i].name, name) == 0) {
            type = type_names[i].type;
        }
    }
    free(name);
    if (type == 0) {
        parse_fail(p, "a type is expected");
    }
    schema->types |= type;
}

static void parse_type(struct parser *p, struct fx_schema *schema)
{
    parse_one(p, schema);
    while (!p->failed && *p->at == '|') {
        p->at++;
        parse_one(p, schema);
    }
}

static void schema_clear(struct fx_schema *schema)
{
    for (size_t i = 0; i < schema->n_in; i++) {
        schema_clear(&schema->in[i]);
    }
    free(schema->in);
    if (schema->element) {
        schema_clear(schema->element);
        free(schema->element);
    }
    free(schema->key);
    free(schema->alias);
    free(schema->fallback);
    free(schema->text);
    free(schema->when);
}

void fx_schema_destroy(struct fx_schema *schema)
{
    if (schema) {
        schema_clear(schema);
        free(schema);
    }
}

struct fx_schema *fx_schema_fields(const char *text, char error[160])
{
    struct fx_schema *schema = fx_xcalloc(1, sizeof(*schema));
    struct parser p = {text ? text : "", text ? text : "", NULL, error, false};
    schema->types = FX_SCHEMA_OBJ;
    parse_fields(&p, schema, 0);
    if (p.failed) {
        fx_schema_destroy(schema);
        return NULL;
    }
    return schema;
}

static bool parse_form(const char *text, size_t n, struct fx_schema *form, char *error)
{
    char *copy = fx_xmalloc(n + 1);
    memcpy(copy, text, n);
    copy[n] = 0;
    struct parser p = {copy, copy, form, error, false};
    if (*p.at == '@') {
        size_t line = strcspn(p.at, "\n");
        form->when = fx_xmalloc(line);
        memcpy(form->when, p.at + 1, line - 1);
        form->when[line - 1] = 0;
        memmove(form->when, form->when + strspn(form->when, " "),
                strlen(form->when + strspn(form->when, " ")) + 1);
        p.at += line;
    }
    parse_type(&p, form);
    p.last = form->types & (FX_SCHEMA_OBJ | FX_SCHEMA_ARR) ? NULL : form;
    skip(&p);
    if (!p.failed && *p.at) {
        parse_fail(&p, "the end is expected");
    }
    free(copy);
    return !p.failed;
}

struct fx_schema *fx_schema_forms(const char *text, char error[160])
{
    struct fx_schema *forms = fx_xcalloc(1, sizeof(*forms));
    size_t n = 1;
    for (const char *s = text; *s; s++) {
        n += s > text && *s == '@' && s[-1] == '\n';
    }
    forms->in = fx_xcalloc(n, sizeof(*forms->in));
    while (*text) {
        const char *end = strstr(text, "\n@");
        size_t len = end ? (size_t)(end + 1 - text) : strlen(text);
        if (!parse_form(text, len, &forms->in[forms->n_in++], error)) {
            fx_schema_destroy(forms);
            return NULL;
        }
        text += len;
    }
    return forms;
}

const char *fx_json_type_name(const json_t *value)
{
    if (!value) {
        return "null";
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "bool";
    case JSON_NULL:
        return "null";
    }
    return "unknown";
}

static bool is_hex(const json_t *value, size_t digits)
{
    const char *s = json_string_value(value);
    size_t n = json_string_length(value);
    return s && strspn(s, "0123456789abcdefABCDEF") == n && (digits ? n == digits : n % 2 == 0);
}

static unsigned plain_types(const json_t *value)
{
    unsigned types = FX_SCHEMA_ANY;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return types | FX_SCHEMA_OBJ;
    case JSON_ARRAY:
        return types | FX_SCHEMA_ARR;
    case JSON_STRING:
        types |= FX_SCHEMA_STR;
        types |= is_hex(value, 0) ? FX_SCHEMA_HEX : 0u;
        types |= is_hex(value, 64) ? FX_SCHEMA_HASH : 0u;
        return types;
    case JSON_INTEGER:
        return types | FX_SCHEMA_INT | FX_SCHEMA_TIME | FX_SCHEMA_NUM;
    case JSON_REAL:
        return types | FX_SCHEMA_NUM | FX_SCHEMA_AMOUNT;
    case JSON_TRUE:
    case JSON_FALSE:
        return types | FX_SCHEMA_BOOL;
    case JSON_NULL:
        return types | FX_SCHEMA_NULL;
    }
    return types;
}

bool fx_schema_takes(const struct fx_schema *schema, const json_t *value)
{
    unsigned types = plain_types(value);
    if (json_is_string(value)) {
        types |= FX_SCHEMA_HEX | FX_SCHEMA_HASH | FX_SCHEMA_AMOUNT;
    }
    if (json_is_integer(value)) {
        types |= FX_SCHEMA_AMOUNT;
    }
    return (types & schema->types) != 0;
}

static bool mismatch(char *why, const char *where, const char *what)
{
    char inner[160];
    snprintf(inner, sizeof(inner), "%s", what);
    snprintf(why, 160, "%.60s: %.90s", where, inner);
    return false;
}

static bool match_object(const struct fx_schema *schema, const json_t *value, char why[160])
{
    const char *key;
    json_t *inner;
    json_object_foreach((json_t *)value, key, inner)
    {
        const struct fx_schema *field = NULL;
        for (size_t i = 0; i < schema->n_in && !field; i++) {
            const char *name = schema->in[i].key;
            if (strcmp(name, key) == 0 || strcmp(name, "*") == 0) {
                field = &schema->in[i];
            }
        }
        if (!field) {
            return mismatch(why, key, "not described");
        }
        if (!fx_schema_match(field, inner, why)) {
            char inner_why[160];
            snprintf(inner_why, sizeof(inner_why), "%s", why);
            return mismatch(why, key, inner_why);
        }
    }
    for (size_t i = 0; i < schema->n_in; i++) {
        const struct fx_schema *field = &schema->in[i];
        if (!field->optional && strcmp(field->key, "*") != 0 &&
            !json_object_get(value, field->key)) {
            return mismatch(why, field->key, "missing");
        }
    }
    return true;
}

bool fx_schema_match(const struct fx_schema *schema, const json_t *value, char why[160])
{
    if (!(plain_types(value) & schema->types)) {
        snprintf(why, 160, "a value of JSON type %s is not described", fx_json_type_name(value));
        return false;
    }
    if (json_is_object(value) && schema->n_in > 0) {
        return match_object(schema, value, why);
    }
    if (json_is_array(value) && schema->element) {
        size_t i;
        json_t *inner;
        json_array_foreach(value, i, inner)
        {
            if (!fx_schema_match(schema->element, inner, why)) {
                char inner_why[160], at[32];
                snprintf(inner_why, sizeof(inner_why), "%s", why);
                snprintf(at, sizeof(at), "[%zu]", i);
                return mismatch(why, at, inner_why);
            }
        }
    }
    return true;
}

bool fx_schema_match_forms(const struct fx_schema *forms, const json_t *value, char why[160])
{
    snprintf(why, 160, "no result is described");
    for (size_t i = 0; i < forms->n_in; i++) {
        if (fx_schema_match(&forms->in[i], value, why)) {
            return true;
        }
    }
    return false;
}

void fx_schema_json_types(const struct fx_schema *schema, struct fx_buf *out)
{
    static const struct {
        unsigned types;
        const char *name;
    } names[] = {
        {FX_SCHEMA_STR | FX_SCHEMA_HEX | FX_SCHEMA_HASH, "string"},
        {FX_SCHEMA_INT | FX_SCHEMA_NUM | FX_SCHEMA_AMOUNT | FX_SCHEMA_TIME, "number"},
        {FX_SCHEMA_BOOL, "bool"},
        {FX_SCHEMA_ARR, "array"},
        {FX_SCHEMA_OBJ, "object"},
        {FX_SCHEMA_NULL, "null"},
    };
    bool first = true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (schema->types & names[i].types) {
            fx_buf_printf(out, "%s%s", first ? "" : " or ", names[i].name);
            first = false;
        }
    }
}

void fx_schema_type_name(const struct fx_schema *schema, struct fx_buf *out)
{
    bool first = true;
    const char *before = "";
    for (size_t i = 0; i < N_TYPES; i++) {
        if ((schema->types & type_names[i].type) && strcmp(before, type_names[i].shown) != 0) {
            fx_buf_printf(out, "%s%s", first ? "" : " or ", type_names[i].shown);
            before = type_names[i].shown;
            first = false;
        }
    }
}

json_t *fx_schema_json(const struct fx_schema *schema)
{
    json_t *out = json_object();
    json_t *types = json_array();
    for (size_t i = 0; i < N_TYPES; i++) {
        if (schema->types & type_names[i].type) {
            json_array_append_new(types, json_string(type_names[i].name));
        }
    }
    if (schema->key) {
        json_object_set_new(out, "name", json_string(schema->key));
        json_object_set_new(out, "optional", json_boolean(schema->optional));
    }
    if (schema->when) {
        json_object_set_new(out, "when", json_string(schema->when));
    }
    json_object_set_new(out, "types", types);
    if (schema->fallback) {
        json_object_set_new(out, "default", json_string(schema->fallback));
    }
    if (schema->text) {
        json_object_set_new(out, "description", json_string(schema->text));
    }
    if (schema->n_in > 0) {
        json_t *in = json_array();
        for (size_t i = 0; i < schema->n_in; i++) {
            json_array_append_new(in, fx_schema_json(&schema->in[i]));
        }
        json_object_set_new(out, "fields", in);
    }
    if (schema->element) {
        json_object_set_new(out, "element", fx_schema_json(schema->element));
    }
    return out;
}
