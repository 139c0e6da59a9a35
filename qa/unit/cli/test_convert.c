/* Unit tests of src/cli/convert.c: words of a command line by the types that a node describes. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/cli/cli_int.h"

static const char schema_text[] = "{\"arguments\": ["
                                  "{\"name\": \"text\", \"types\": [\"str\"]},"
                                  "{\"name\": \"count\", \"types\": [\"int\"]},"
                                  "{\"name\": \"value\", \"types\": [\"amount\"]},"
                                  "{\"name\": \"level\", \"types\": [\"int\", \"bool\"]},"
                                  "{\"name\": \"burn\", \"types\": [\"str\", \"amount\"]},"
                                  "{\"name\": \"options\", \"types\": [\"object\"]}]}";

/* The arguments as JSON text, or the error. Lives until the next call. */
static const char *convert(const char *const *words, size_t n, bool named, bool described)
{
    static char *last;
    json_error_t where;
    json_t *schema = described ? json_loads(schema_text, 0, &where) : NULL;
    char *copies[8];
    char *error = NULL;
    for (size_t i = 0; i < n; i++) {
        copies[i] = strdup(words[i]);
    }
    json_t *out = fx_cli_convert(schema, copies, n, named, &error);
    free(last);
    last = out ? json_dumps(out, JSON_COMPACT) : error;
    json_decref(out);
    json_decref(schema);
    for (size_t i = 0; i < n; i++) {
        free(copies[i]);
    }
    return last;
}

FX_TEST(by_position)
{
    static const char *const words[] = {"12", "12", "0.1", "true", "none", "{\"a\": 1}", "7"};
    FX_CHECK_STR(convert(words, 7, false, true),
                 "[\"12\",12,\"0.1\",true,\"none\",{\"a\":1},\"7\"]");
    FX_CHECK_STR(convert(words, 2, false, false), "[\"12\",\"12\"]");
    FX_CHECK_STR(convert(words, 0, false, true), "[]");
}

FX_TEST(by_name)
{
    static const char *const words[] = {"hello", "count=3", "burn=0.5", "text=a=b", "zz=1"};
    FX_CHECK_STR(
        convert(words, 5, true, true),
        "{\"count\":3,\"burn\":\"0.5\",\"text\":\"a=b\",\"zz\":\"1\",\"args\":[\"hello\"]}");
}

FX_TEST(what_is_no_json)
{
    static const char *const words[] = {"a", "{3"};
    static const char *const broken[] = {"\xff"};
    FX_CHECK_STR(convert(words, 2, false, true), "Error parsing JSON: {3");
    FX_CHECK_STR(convert(broken, 1, false, true), "an argument is not UTF-8 text");
}
