/* Words of a command line as JSON arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli_int.h"
#include "src/util/mem.h"

/* The description of an argument by position, or by name where that is not NULL. */
static const json_t *argument(const json_t *schema, size_t at, const char *name, size_t n)
{
    const json_t *list = json_object_get(schema, "arguments");
    size_t i;
    json_t *one;
    if (!name) {
        return json_array_get(list, at);
    }
    json_array_foreach(list, i, one)
    {
        const char *known = json_string_value(json_object_get(one, "name"));
        if (known && strlen(known) == n && memcmp(known, name, n) == 0) {
            return one;
        }
    }
    return NULL;
}

static bool takes(const json_t *argument, const char *type)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(argument, "types"), i, one)
    {
        if (strcmp(json_string_value(one), type) == 0) {
            return true;
        }
    }
    return false;
}

static bool takes_any(const json_t *arg, const char *const *types)
{
    for (; *types; types++) {
        if (takes(arg, *types)) {
            return true;
        }
    }
    return false;
}

/* One word. NULL: *error says why. */
static json_t *convert_word(const json_t *arg, const char *word, char **error)
{
    static const char *const texts[] = {"str", "hex", "hash", "amount", NULL};
    static const char *const others[] = {"int",    "num",   "time", "bool", "null",
                                         "object", "array", "any",  NULL};
    bool text = !arg || takes_any(arg, texts);
    json_t *out = NULL;
    if (arg && takes_any(arg, others)) {
        json_error_t where;
        out = json_loads(word, JSON_DECODE_ANY, &where);
        if (!out && !text) {
            if (asprintf(error, "Error parsing JSON: %s", word) < 0) {
                *error = NULL;
            }
            return NULL;
        }
    }
    if (!out) {
        out = json_string(word);
    }
    if (!out && asprintf(error, "an argument is not UTF-8 text") < 0) {
        *error = NULL;
    }
    return out;
}

json_t *fx_cli_convert(const json_t *schema, char *const *words, size_t n, bool named, char **error)
{
    json_t *out = named ? json_object() : json_array();
    json_t *positional = json_array();
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        const char *equals = named ? strchr(words[i], '=') : NULL;
        size_t len = equals ? (size_t)(equals - words[i]) : 0;
        size_t at = json_array_size(named ? positional : out);
        const json_t *arg = argument(schema, at, equals ? words[i] : NULL, len);
        json_t *value = convert_word(arg, equals ? equals + 1 : words[i], error);
        ok = value != NULL;
        if (ok && equals) {
            char *name = fx_xmalloc(len + 1);
            memcpy(name, words[i], len);
            name[len] = 0;
            json_object_set_new(out, name, value);
            free(name);
        } else if (ok) {
            json_array_append_new(named ? positional : out, value);
        }
    }
    if (ok && json_array_size(positional) > 0) {
        json_object_set(out, "args", positional);
    }
    json_decref(positional);
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}
