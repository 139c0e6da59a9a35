/* Indented JSON, with amounts as the node writes them. */
#include "src/rpcclient/print.h"

#include <stdbool.h>
#include <stdlib.h>

#include "src/util/amount.h"

static void print_plain(const json_t *value, struct fx_buf *out)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    fx_buf_str(out, text ? text : "null");
    free(text);
}

static void print_key(const char *key, struct fx_buf *out)
{
    json_t *text = json_string_nocheck(key);
    print_plain(text, out);
    json_decref(text);
    fx_buf_str(out, ": ");
}

static void print(const json_t *value, unsigned depth, struct fx_buf *out)
{
    const bool object = json_is_object(value);
    const char *key;
    json_t *inner;
    size_t i;
    bool first = true;
    if (json_is_real(value)) {
        char number[FX_NUMBER_TEXT];
        fx_number_format(json_real_value(value), number);
        fx_buf_str(out, number);
        return;
    }
    if (!object && !json_is_array(value)) {
        print_plain(value, out);
        return;
    }
    if ((object ? json_object_size(value) : json_array_size(value)) == 0) {
        fx_buf_str(out, object ? "{\n" : "[\n");
        fx_buf_printf(out, "%*s%c", (int)(2 * depth), "", object ? '}' : ']');
        return;
    }
    fx_buf_u8(out, object ? '{' : '[');
    if (object) {
        json_object_foreach((json_t *)value, key, inner)
        {
            fx_buf_printf(out, "%s\n%*s", first ? "" : ",", (int)(2 * depth + 2), "");
            first = false;
            print_key(key, out);
            print(inner, depth + 1, out);
        }
    } else {
        json_array_foreach(value, i, inner)
        {
            fx_buf_printf(out, "%s\n%*s", i ? "," : "", (int)(2 * depth + 2), "");
            print(inner, depth + 1, out);
        }
    }
    fx_buf_printf(out, "\n%*s%c", (int)(2 * depth), "", object ? '}' : ']');
}

void fx_json_print(const json_t *value, struct fx_buf *out)
{
    print(value, 0, out);
}
