/* Help texts and schemas, made from the descriptions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/rpc/rpc_int.h"
#include "src/util/mem.h"

#define TEXT_WIDTH 90

static void wrap(struct fx_buf *out, const char *text, size_t indent, size_t column)
{
    while (*text) {
        size_t n = strcspn(text, " \n");
        if (column > indent && column + 1 + n > TEXT_WIDTH) {
            fx_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            fx_buf_u8(out, ' ');
            column++;
        }
        fx_buf_bytes(out, text, n);
        column += n;
        text += n;
        if (*text == '\n') {
            fx_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
            text++;
        }
        text += strspn(text, " ");
    }
    fx_buf_u8(out, '\n');
}

static void pad_to(struct fx_buf *out, size_t start, size_t column)
{
    do {
        fx_buf_u8(out, ' ');
    } while (out->len - start < column);
}

static void describe(const struct fx_schema *schema, size_t indent, bool argument,
                     struct fx_buf *out);

static void describe_inner(const struct fx_schema *schema, size_t indent, bool argument,
                           struct fx_buf *out)
{
    for (size_t i = 0; i < schema->n_in; i++) {
        describe(&schema->in[i], indent, argument, out);
    }
    if (schema->element && schema->element->types & (FX_SCHEMA_OBJ | FX_SCHEMA_ARR)) {
        describe(schema->element, indent, argument, out);
    }
}

static void describe(const struct fx_schema *schema, size_t indent, bool argument,
                     struct fx_buf *out)
{
    size_t start = out->len;
    fx_buf_printf(out, "%*s", (int)indent, "");
    if (schema->key && strcmp(schema->key, "*") == 0) {
        fx_buf_str(out, "(any key)");
    } else if (schema->key) {
        fx_buf_printf(out, "\"%s\"", schema->key);
    } else {
        fx_buf_str(out, "-");
    }
    pad_to(out, start, 28);
    fx_buf_u8(out, '(');
    if (schema->types & FX_SCHEMA_ARR && schema->element && schema->types == FX_SCHEMA_ARR) {
        fx_buf_str(out, "array of ");
        fx_schema_type_name(schema->element, out);
    } else {
        fx_schema_type_name(schema, out);
    }
    if (schema->fallback) {
        fx_buf_printf(out, ", optional, default=%s", schema->fallback);
    } else if (schema->optional) {
        fx_buf_str(out, ", optional");
    } else if (argument && schema->key) {
        fx_buf_str(out, ", required");
    }
    fx_buf_u8(out, ')');
    if (schema->text) {
        fx_buf_u8(out, ' ');
        wrap(out, schema->text, 30, out->len - start);
    } else {
        fx_buf_u8(out, '\n');
    }
    describe_inner(schema, indent + 2, argument, out);
}

static void synopsis(const struct fx_rpc_entry *entry, struct fx_buf *out)
{
    const struct fx_schema *args = entry->args;
    unsigned open = 0;
    fx_buf_str(out, entry->command->name);
    for (size_t i = 0; i < args->n_in; i++) {
        const struct fx_schema *arg = &args->in[i];
        const unsigned texts = FX_SCHEMA_STR | FX_SCHEMA_HEX | FX_SCHEMA_HASH;
        bool quoted = (arg->types & ~texts) == 0;
        if (arg->optional) {
            fx_buf_str(out, " (");
            open++;
        }
        /* As Bitcoin Core has it: a list of names by its own name, one of objects in brackets. */
        bool objects = arg->element && (arg->element->types & FX_SCHEMA_OBJ);
        fx_buf_printf(out, objects ? " [%s,...]" : quoted ? " \"%s\"" : " %s", arg->key);
    }
    while (open-- > 0) {
        fx_buf_str(out, " )");
    }
}

/* Words that are JSON by themselves: numbers, true, false, null, texts in quotes. */
static bool is_json(const char *word, size_t n)
{
    json_t *value = json_loadb(word, n, JSON_DECODE_ANY, NULL);
    json_decref(value);
    return value != NULL;
}

/* The length of the word of a command line at s, which may be in single or double quotes. */
static size_t word_length(const char *s)
{
    size_t n = 0;
    for (char quote = 0; s[n] && s[n] != '\n' && (quote || s[n] != ' '); n++) {
        if (quote && s[n] == quote) {
            quote = 0;
        } else if (!quote && (s[n] == '\'' || s[n] == '"')) {
            quote = s[n];
        }
    }
    return n;
}

/* The arguments of an example's first line that has any, as a list in JSON. */
static void example_params(const char *s, struct fx_buf *out)
{
    s += strspn(s, "\n");
    fx_buf_u8(out, '[');
    for (bool first = true; *s && *s != '\n'; first = false) {
        size_t n = word_length(s);
        bool quoted = n >= 2 && *s == '\'';
        const char *word = s + quoted;
        size_t len = quoted ? n - 2 : n;
        bool json = is_json(word, len);
        fx_buf_printf(out, "%s%s%.*s%s", first ? "" : ", ", json ? "" : "\"", (int)len, word,
                      json ? "" : "\"");
        s += n + (s[n] == ' ');
    }
    fx_buf_u8(out, ']');
}

static void examples(const struct fx_rpc_entry *entry, uint16_t port, struct fx_buf *out)
{
    const char *s = entry->command->example;
    if (!s) {
        return;
    }
    fx_buf_str(out, "\nExamples:\n");
    do {
        size_t n = strcspn(s, "\n");
        fx_buf_printf(out, "> fornax-cli %s%s%.*s\n", entry->command->name, n ? " " : "", (int)n,
                      s);
        s += n + (s[n] == '\n');
    } while (*s);
    fx_buf_printf(out,
                  "> curl --user __cookie__ --data-binary '{\"jsonrpc\": \"2.0\", \"id\": 1, "
                  "\"method\": \"%s\", \"params\": ",
                  entry->command->name);
    example_params(entry->command->example, out);
    fx_buf_printf(out, "}' http://127.0.0.1:%u/\n", (unsigned)port);
}

void fx_rpc_help_command(const struct fx_rpc_entry *entry, uint16_t port, struct fx_buf *out)
{
    const struct fx_rpc_command *command = entry->command;
    synopsis(entry, out);
    fx_buf_str(out, "\n\n");
    wrap(out, command->text, 0, 0);
    if (entry->args->n_in > 0) {
        fx_buf_str(out, "\nArguments:\n");
    }
    for (size_t i = 0; i < entry->args->n_in; i++) {
        fx_buf_printf(out, "%zu.", i + 1);
        describe(&entry->args->in[i], 1, true, out);
    }
    for (size_t i = 0; i < entry->result->n_in; i++) {
        const struct fx_schema *form = &entry->result->in[i];
        if (form->when) {
            fx_buf_printf(out, "\nResult (%s):\n", form->when);
        } else {
            fx_buf_str(out, "\nResult:\n");
        }
        describe(form, 0, false, out);
    }
    if (command->errors) {
        fx_buf_printf(out, "\nErrors:\n%s%s", command->errors,
                      command->errors[strlen(command->errors) - 1] == '\n' ? "" : "\n");
    }
    examples(entry, port, out);
}

static int by_name(const void *a, const void *b)
{
    const struct fx_rpc_entry *const *x = a, *const *y = b;
    return strcmp((*x)->command->name, (*y)->command->name);
}

static bool visible(const struct fx_rpc *rpc, const struct fx_rpc_entry *entry)
{
    unsigned flags = entry->command->flags;
    return !(flags & FX_RPC_HIDDEN) && (!(flags & FX_RPC_REGTEST) || !rpc->config.params->retarget);
}

/* Entries of a topic, or of all (NULL), by name. Returns how many; the list is the caller's. */
static size_t sorted(const struct fx_rpc *rpc, const struct fx_rpc_topic *topic,
                     const struct fx_rpc_entry ***list)
{
    size_t n = 0;
    *list = fx_xcalloc(rpc->n_entries + 1, sizeof(**list));
    for (size_t i = 0; i < rpc->n_entries; i++) {
        if (!topic || rpc->entries[i].topic == topic) {
            (*list)[n++] = &rpc->entries[i];
        }
    }
    qsort(*list, n, sizeof(**list), by_name);
    return n;
}

static void help_all(const struct fx_rpc *rpc, struct fx_buf *out)
{
    const struct fx_rpc_topic *topic = NULL;
    for (size_t t = 0; t < rpc->n_entries; t++) {
        if (rpc->entries[t].topic == topic) {
            continue;
        }
        topic = rpc->entries[t].topic;
        const struct fx_rpc_entry **list;
        size_t n = sorted(rpc, topic, &list);
        bool any = false;
        for (size_t i = 0; i < n; i++) {
            if (visible(rpc, list[i])) {
                if (!any) {
                    fx_buf_printf(out, "%s== %s ==\n", out->len ? "\n" : "", topic->name);
                }
                any = true;
                synopsis(list[i], out);
                fx_buf_u8(out, '\n');
            }
        }
        free(list);
    }
}

static json_t *buffer_text(struct fx_buf *text)
{
    while (text->len > 0 && text->data[text->len - 1] == '\n') {
        text->len--;
    }
    json_t *out = json_stringn((const char *)text->data, text->len);
    fx_buf_clear(text);
    return out;
}

static json_t *help(struct fx_rpc_call *call)
{
    const char *name = fx_rpc_arg_str(call->args[0], NULL);
    struct fx_buf text = FX_BUF_INIT;
    if (!name) {
        help_all(call->rpc, &text);
        return buffer_text(&text);
    }
    const struct fx_rpc_entry *entry = fx_rpc_table_find(call->rpc, name);
    if (!entry) {
        return json_sprintf("help: unknown command: %.100s", name);
    }
    fx_rpc_help_command(entry, call->rpc->port, &text);
    return buffer_text(&text);
}

const struct fx_rpc_command fx_rpc_help = {
    .name = "help",
    .text = "Lists all commands, or gives the help of one.",
    .args = "command?: str = all commands   # The command to get help on",
    .result = "str  # The help text",
    .example = "\ngetblock",
    .run = help,
};

static json_t *entry_json(const struct fx_rpc *rpc, const struct fx_rpc_entry *entry)
{
    json_t *out = json_object(), *args = json_array(), *forms = json_array();
    const struct fx_rpc_command *command = entry->command;
    struct fx_buf line = FX_BUF_INIT;
    fx_json_set(out, "name", json_string(command->name));
    fx_json_set(out, "category", json_string(entry->topic->name));
    fx_json_set(out, "description", json_string(command->text));
    fx_json_set(out, "hidden", json_boolean((command->flags & FX_RPC_HIDDEN) != 0));
    fx_json_set(out, "regtest", json_boolean((command->flags & FX_RPC_REGTEST) != 0));
    synopsis(entry, &line);
    fx_json_set(out, "synopsis", buffer_text(&line));
    for (size_t i = 0; i < entry->args->n_in; i++) {
        json_array_append_new(args, fx_schema_json(&entry->args->in[i]));
    }
    for (size_t i = 0; i < entry->result->n_in; i++) {
        json_array_append_new(forms, fx_schema_json(&entry->result->in[i]));
    }
    fx_json_set(out, "arguments", args);
    fx_json_set(out, "results", forms);
    fx_json_set(out, "errors", json_string(command->errors ? command->errors : ""));
    fx_json_set(out, "example", json_string(command->example ? command->example : ""));
    struct fx_buf text = FX_BUF_INIT;
    /* The port of the network, so that the text is the same wherever it is made. */
    fx_rpc_help_command(entry, rpc->config.params->rpc_port, &text);
    fx_json_set(out, "help", buffer_text(&text));
    return out;
}

static json_t *getrpcschema(struct fx_rpc_call *call)
{
    const char *name = fx_rpc_arg_str(call->args[0], NULL);
    if (name) {
        const struct fx_rpc_entry *entry = fx_rpc_table_find(call->rpc, name);
        return entry ? entry_json(call->rpc, entry)
                     : fx_rpc_fail(call, FX_RPC_METHOD_NOT_FOUND, "Method not found");
    }
    json_t *all = json_array();
    const struct fx_rpc_entry **list;
    size_t n = sorted(call->rpc, NULL, &list);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(all, entry_json(call->rpc, list[i]));
    }
    free(list);
    return all;
}

const struct fx_rpc_command fx_rpc_getrpcschema = {
    .name = "getrpcschema",
    .text = "Describes commands as JSON: what help, the conversion of fornax-cli's arguments and "
            "doc/rpc are made from.",
    .args = "command?: str = all commands",
    .result = "@ with a command\n{ name: str, category: str, description: str\n"
              "hidden: bool, regtest: bool   # There only on regtest\n"
              "synopsis: str, arguments: [ object ]\n"
              "results: [ object ]  # One for each form that the result can have\n"
              "errors: str, example: str, help: str }\n"
              "@ without one\n[ object ]",
    .errors = "-32601: there is no such command",
    .example = "getblock",
    .run = getrpcschema,
};
