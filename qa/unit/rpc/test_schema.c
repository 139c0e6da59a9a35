/* Unit tests of src/rpc/schema.c: reading descriptions and matching values. */
#include "src/rpc/schema_int.h"

#include <string.h>

#include "qa/unit/harness.h"

static json_t *value_of(const char *text)
{
    json_error_t where;
    json_t *out = json_loads(text, JSON_DECODE_ANY, &where);
    if (!out) {
        FX_FAIL("%s: %s", text, where.text);
    }
    return out;
}

/* "" for a match, else why not. Lives until the next call. */
static const char *match(const char *form, const char *text)
{
    static char why[160];
    char error[160];
    struct fx_schema *schema = fx_schema_forms(form, error);
    json_t *value = value_of(text);
    if (!schema) {
        FX_FAIL("%s: %s", form, error);
    }
    if (fx_schema_match_forms(schema, value, why)) {
        why[0] = 0;
    }
    json_decref(value);
    fx_schema_destroy(schema);
    return why;
}

FX_TEST(fields_with_texts_and_defaults)
{
    char error[160];
    struct fx_schema *s = fx_schema_fields("a: int      # The first\n"
                                           "            # and more of it\n"
                                           "b?: str|hash = \"\" # Second\n"
                                           "c?: { x: [ num ], *: any } # Third\n",
                                           error);
    FX_CHECK(s);
    FX_CHECK_INT(s->n_in, 3);
    FX_CHECK_STR(s->in[0].key, "a");
    FX_CHECK(!s->in[0].optional);
    FX_CHECK_STR(s->in[0].text, "The first and more of it");
    FX_CHECK_INT(s->in[1].types, FX_SCHEMA_STR | FX_SCHEMA_HASH);
    FX_CHECK_STR(s->in[1].fallback, "\"\"");
    FX_CHECK_STR(s->in[1].text, "Second");
    FX_CHECK_INT(s->in[2].n_in, 2);
    FX_CHECK_INT(s->in[2].in[0].element->types, FX_SCHEMA_NUM);
    fx_schema_destroy(s);
    s = fx_schema_fields(NULL, error);
    FX_CHECK_INT(s->n_in, 0);
    fx_schema_destroy(s);
}

FX_TEST(wrong_descriptions_are_named)
{
    static const char *const bad[][2] = {
        {"a int", "a colon is expected"},          {"a: number", "a type is expected"},
        {"a: [ int", "a ] is expected"},           {"a: { b: int", "a name is expected"},
        {"\n: int", "line 2: a name is expected"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char error[160] = "";
        FX_CHECK(!fx_schema_fields(bad[i][0], error));
        if (!strstr(error, bad[i][1])) {
            FX_FAIL("%s: %s", bad[i][0], error);
        }
    }
}

FX_TEST(values_match_their_types)
{
    FX_CHECK_STR(match("int", "3"), "");
    FX_CHECK_STR(match("num", "3"), "");
    FX_CHECK_STR(match("amount", "3.5"), "");
    FX_CHECK(*match("amount", "3"));
    FX_CHECK(*match("int", "3.5"));
    FX_CHECK(*match("int", "\"3\""));
    FX_CHECK_STR(match("hex", "\"00ffAB\""), "");
    FX_CHECK(*match("hex", "\"00f\""));
    FX_CHECK(*match("hash", "\"00ff\""));
    FX_CHECK_STR(match("null|str", "null"), "");
    FX_CHECK_STR(match("any", "{\"a\": 1}"), "");
    FX_CHECK_STR(match("[ { a: int } ]", "[{\"a\": 1}, {\"a\": 2}]"), "");
    FX_CHECK_STR(match("[ { a: int } ]", "[]"), "");
    FX_CHECK_STR(match("{ *: bool }", "{\"x\": true}"), "");
}

FX_TEST(what_does_not_match_is_named)
{
    FX_CHECK_STR(match("{ a: int }", "{\"a\": 1, \"b\": 2}"), "b: not described");
    FX_CHECK_STR(match("{ a: int, b: int }", "{\"a\": 1}"), "b: missing");
    FX_CHECK_STR(match("{ a: int, b?: int }", "{\"a\": 1}"), "");
    FX_CHECK_STR(match("[ { a: [ int ] } ]", "[{\"a\": [1, \"x\"]}]"),
                 "[0]: a: [1]: a value of JSON type string is not described");
}

FX_TEST(forms_are_alternatives)
{
    const char *form = "@ verbosity 0\nhex\n@ verbosity 1\n{ a: int }";
    FX_CHECK_STR(match(form, "\"00\""), "");
    FX_CHECK_STR(match(form, "{\"a\": 1}"), "");
    FX_CHECK(*match(form, "{\"b\": 1}"));
    char error[160];
    struct fx_schema *s = fx_schema_forms(form, error);
    FX_CHECK_INT(s->n_in, 2);
    FX_CHECK_STR(s->in[1].when, "verbosity 1");
    fx_schema_destroy(s);
}
