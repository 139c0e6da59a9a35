/* Options from the command line and from a configuration file, looked up by network. */
#include "src/util/args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

struct arg_entry {
    const struct fx_arg_option *option;
    bool from_file;
    char *section; /* of the file; NULL: before any */
    char *value;   /* never NULL */
    bool negated;
};

struct fx_args {
    const struct fx_arg_option *table;
    struct arg_entry *entries;
    size_t n, cap;
    const char *selected;
};

static const char *const networks[] = {"main", "test", "regtest", "btcregtest"};

/* The constant of this name; NULL where it is no network. */
static const char *network_find(const char *name)
{
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        if (strcmp(name, networks[i]) == 0) {
            return networks[i];
        }
    }
    return NULL;
}

bool fx_args_program_is(const char *argv0, const char *name)
{
    const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
    return argv0 && strcmp(slash ? slash + 1 : argv0, name) == 0;
}

struct fx_args *fx_args_create(const struct fx_arg_option *table)
{
    struct fx_args *args = fx_xcalloc(1, sizeof(*args));
    args->table = table;
    args->selected = "main";
    return args;
}

void fx_args_destroy(struct fx_args *args)
{
    if (!args) {
        return;
    }
    for (size_t e = 0; e < args->n; e++) {
        free(args->entries[e].section);
        free(args->entries[e].value);
    }
    free(args->entries);
    free(args);
}

static const struct fx_arg_option *option_find(const struct fx_args *args, const char *name,
                                               size_t n)
{
    for (const struct fx_arg_option *o = args->table; o->name; o++) {
        if (strlen(o->name) == n && memcmp(o->name, name, n) == 0) {
            return o;
        }
    }
    return NULL;
}

static bool whole_number(const char *s, int64_t *out)
{
    char *end = NULL;
    if (!((*s >= '0' && *s <= '9') || *s == '-')) {
        return false;
    }
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (errno != 0 || end == s || *end != 0) {
        return false;
    }
    *out = v;
    return true;
}

static bool yes_or_no(const char *s, bool *out)
{
    if (*s == 0 || strcmp(s, "1") == 0 || strcmp(s, "true") == 0) {
        *out = true;
        return true;
    }
    if (strcmp(s, "0") == 0 || strcmp(s, "false") == 0) {
        *out = false;
        return true;
    }
    return false;
}

static bool value_check(const struct fx_arg_option *o, const char *value, char *error)
{
    int64_t number;
    bool yes;
    switch (o->type) {
    case FX_ARG_STR:
        return true;
    case FX_ARG_BOOL:
        if (yes_or_no(value, &yes)) {
            return true;
        }
        snprintf(error, FX_ARGS_ERROR, "Invalid value for -%s: '%.60s' (0 or 1 is expected)",
                 o->name, value);
        return false;
    case FX_ARG_INT:
        break;
    }
    if (!whole_number(value, &number)) {
        snprintf(error, FX_ARGS_ERROR, "Invalid value for -%s: '%.60s' is not a whole number",
                 o->name, value);
        return false;
    }
    if ((o->min != 0 || o->max != 0) && (number < o->min || number > o->max)) {
        snprintf(error, FX_ARGS_ERROR, "Invalid value for -%s: %.60s is not from %lld to %lld",
                 o->name, value, (long long)o->min, (long long)o->max);
        return false;
    }
    return true;
}

static bool entry_add(struct fx_args *args, const struct fx_arg_option *option, bool from_file,
                      const char *section, const char *value, bool no, char *error)
{
    bool negated = false;
    if (no) {
        bool yes;
        if (!yes_or_no(value, &yes)) {
            snprintf(error, FX_ARGS_ERROR, "Invalid value for -no%s: '%.60s'", option->name, value);
            return false;
        }
        /* -nofoo=0 is a double negation: foo. */
        negated = yes;
        value = yes ? "0" : "1";
    }
    if (!(negated && option->type == FX_ARG_INT) && !value_check(option, value, error)) {
        return false;
    }
    if (args->n == args->cap) {
        args->cap = args->cap ? 2 * args->cap : 16;
        args->entries = fx_xreallocarray(args->entries, args->cap, sizeof(*args->entries));
    }
    struct arg_entry *e = &args->entries[args->n++];
    e->option = option;
    e->from_file = from_file;
    e->section = section ? fx_xstrdup(section) : NULL;
    e->value = fx_xstrdup(value);
    e->negated = negated;
    return true;
}

/* The option of a name with or without "no" before it. */
static const struct fx_arg_option *option_of(const struct fx_args *args, const char *name, size_t n,
                                             bool *no)
{
    const struct fx_arg_option *option = option_find(args, name, n);
    *no = false;
    if (!option && n > 2 && memcmp(name, "no", 2) == 0) {
        option = option_find(args, name + 2, n - 2);
        *no = option != NULL;
    }
    return option;
}

/* -? and -h are help, in Bitcoin's programs too. */
static void long_name(const char **name, size_t *n)
{
    if (*n == 1 && (**name == '?' || **name == 'h')) {
        *name = "help";
        *n = strlen(*name);
    }
}

bool fx_args_parse(struct fx_args *args, int argc, char *const *argv, int *rest,
                   char error[FX_ARGS_ERROR])
{
    int at = 1;
    for (; at < argc; at++) {
        const char *word = argv[at];
        if (word[0] != '-' || word[1] == 0) {
            break;
        }
        const char *name = word[1] == '-' ? word + 2 : word + 1;
        const char *equals = strchr(name, '=');
        size_t n = equals ? (size_t)(equals - name) : strlen(name);
        bool no;
        long_name(&name, &n);
        const struct fx_arg_option *option = option_of(args, name, n, &no);
        if (!option) {
            snprintf(error, FX_ARGS_ERROR, "Invalid parameter %.100s", word);
            return false;
        }
        if (!equals && !no && option->type != FX_ARG_BOOL && !(option->flags & FX_ARG_BARE)) {
            snprintf(error, FX_ARGS_ERROR, "-%s needs a value: -%s=%s", option->name, option->name,
                     option->hint ? option->hint : "<value>");
            return false;
        }
        if (!entry_add(args, option, false, NULL, equals ? equals + 1 : "", no, error)) {
            return false;
        }
    }
    *rest = at;
    return true;
}

static char *trim(char *s)
{
    while (*s == ' ' || *s == '\t' || *s == '\r') {
        s++;
    }
    size_t n = strlen(s);
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r')) {
        s[--n] = 0;
    }
    return s;
}

/* What stands in a section that no network has would never count. */
static bool section_check(const char *section, size_t number, char *error)
{
    if (network_find(section)) {
        return true;
    }
    snprintf(error, FX_ARGS_ERROR,
             "line %zu: [%.60s] is no network: main, test, regtest and btcregtest are known",
             number, section);
    return false;
}

static bool config_line(struct fx_args *args, char *line, size_t number, char **section,
                        bool unknown_ok, char *error)
{
    char inner[FX_ARGS_ERROR];
    char *comment = strchr(line, '#');
    if (comment && strstr(line, "rpcpassword") && strstr(line, "rpcpassword") < comment) {
        snprintf(error, FX_ARGS_ERROR,
                 "line %zu: using # in rpcpassword can be ambiguous and should be avoided", number);
        return false;
    }
    if (comment) {
        *comment = 0;
    }
    line = trim(line);
    size_t n = strlen(line);
    if (n == 0) {
        return true;
    }
    if (line[0] == '[') {
        if (line[n - 1] != ']') {
            snprintf(error, FX_ARGS_ERROR, "line %zu: a section is written [name]", number);
            return false;
        }
        line[n - 1] = 0;
        free(*section);
        *section = fx_xstrdup(trim(line + 1));
        return unknown_ok || section_check(*section, number, error);
    }
    if (line[0] == '-') {
        snprintf(error, FX_ARGS_ERROR,
                 "line %zu: %.60s: options in a configuration file are written without dash",
                 number, line);
        return false;
    }
    char *equals = strchr(line, '=');
    if (!equals) {
        snprintf(error, FX_ARGS_ERROR,
                 "line %zu: %.60s: an option is written name=value (name=1 to switch it on)",
                 number, line);
        return false;
    }
    *equals = 0;
    char *name = trim(line);
    char *value = trim(equals + 1);
    const char *in = *section;
    char *dot = strchr(name, '.');
    if (dot && !in) { /* regtest.rpcport=1 is [regtest] rpcport=1 */
        *dot = 0;
        in = name;
        name = dot + 1;
        if (!unknown_ok && !section_check(in, number, error)) {
            return false;
        }
    }
    bool no;
    const struct fx_arg_option *option = option_of(args, name, strlen(name), &no);
    if (!option) {
        if (unknown_ok) {
            return true;
        }
        snprintf(error, FX_ARGS_ERROR, "line %zu: there is no option %.60s", number, name);
        return false;
    }
    if (option->flags & FX_ARG_COMMAND_LINE) {
        snprintf(error, FX_ARGS_ERROR, "line %zu: %s is allowed on the command line only", number,
                 option->name);
        return false;
    }
    if (!entry_add(args, option, true, in, value, no, inner)) {
        snprintf(error, FX_ARGS_ERROR, "line %zu: %.200s", number, inner);
        return false;
    }
    return true;
}

bool fx_args_config(struct fx_args *args, const char *text, bool unknown_ok,
                    char error[FX_ARGS_ERROR])
{
    char *section = NULL;
    bool ok = true;
    size_t number = 1;
    for (const char *at = text; ok && *at; number++) {
        size_t n = strcspn(at, "\n");
        char *line = fx_xmalloc(n + 1);
        memcpy(line, at, n);
        line[n] = 0;
        ok = config_line(args, line, number, &section, unknown_ok, error);
        free(line);
        at += n + (at[n] == '\n' ? 1 : 0);
    }
    free(section);
    return ok;
}

/* Does a general line of the file count for the selected network? */
static bool general_counts(const struct fx_args *args, const struct fx_arg_option *option)
{
    return !(option->flags & FX_ARG_NETWORK) || strcmp(args->selected, "main") == 0;
}

/* 0: command line, 1: section, 2: general; -1: does not count. */
static int entry_rank(const struct fx_args *args, const struct arg_entry *e)
{
    if (!e->from_file) {
        return 0;
    }
    if (e->section) {
        return strcmp(e->section, args->selected) == 0 ? 1 : -1;
    }
    return general_counts(args, e->option) ? 2 : -1;
}

static const struct arg_entry *entry_find(const struct fx_args *args, const char *name)
{
    const struct arg_entry *best = NULL;
    int best_rank = 3;
    for (size_t i = 0; i < args->n; i++) {
        const struct arg_entry *e = &args->entries[i];
        if (strcmp(e->option->name, name) != 0) {
            continue;
        }
        int rank = entry_rank(args, e);
        if (rank >= 0 && (rank < best_rank || (rank == 0 && best_rank == 0))) {
            best = e;
            best_rank = rank;
        }
    }
    return best;
}

bool fx_args_has(const struct fx_args *args, const char *name)
{
    return entry_find(args, name) != NULL;
}

bool fx_args_negated(const struct fx_args *args, const char *name)
{
    const struct arg_entry *e = entry_find(args, name);
    return e && e->negated;
}

const char *fx_args_str(const struct fx_args *args, const char *name, const char *fallback)
{
    const struct arg_entry *e = entry_find(args, name);
    return e ? e->value : fallback;
}

bool fx_args_bool(const struct fx_args *args, const char *name, bool fallback)
{
    const struct arg_entry *e = entry_find(args, name);
    bool yes;
    return e && yes_or_no(e->value, &yes) ? yes : fallback;
}

int64_t fx_args_int(const struct fx_args *args, const char *name, int64_t fallback)
{
    const struct arg_entry *e = entry_find(args, name);
    int64_t number;
    return e && whole_number(e->value, &number) ? number : fallback;
}

size_t fx_args_list(const struct fx_args *args, const char *name, const char ***values)
{
    size_t n = 0;
    *values = fx_xcalloc(args->n + 1, sizeof(**values));
    for (int rank = 0; rank < 3; rank++) {
        for (size_t i = 0; i < args->n; i++) {
            const struct arg_entry *e = &args->entries[i];
            if (strcmp(e->option->name, name) != 0 || entry_rank(args, e) != rank) {
                continue;
            }
            if (e->negated) {
                n = 0;
            } else {
                (*values)[n++] = e->value;
            }
        }
    }
    return n;
}

const char *fx_args_chain(const struct fx_args *args, char error[FX_ARGS_ERROR])
{
    static const char *const flags[][2] = {{"regtest", "regtest"},
                                           {"btcregtest", "btcregtest"},
                                           {"test", "test"},
                                           {"testnet", "test"}};
    const char *chain = NULL;
    unsigned given = 0;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (option_find(args, flags[i][0], strlen(flags[i][0])) &&
            fx_args_bool(args, flags[i][0], false)) {
            chain = flags[i][1];
            given++;
        }
    }
    const char *name = option_find(args, "chain", 5) ? fx_args_str(args, "chain", NULL) : NULL;
    if (name) {
        chain = name;
        given++;
    }
    if (given > 1) {
        snprintf(
            error, FX_ARGS_ERROR,
            "Invalid combination of -regtest, -btcregtest, -test and -chain. Can use at most one.");
        return NULL;
    }
    if (!chain) {
        return "main";
    }
    const char *known = network_find(chain);
    if (known) {
        return known;
    }
    snprintf(error, FX_ARGS_ERROR,
             "Unknown chain %.60s: main, test, regtest and btcregtest are known.", chain);
    return NULL;
}

void fx_args_select(struct fx_args *args, const char *section)
{
    args->selected = section;
}

const char *fx_args_warning(const struct fx_args *args, size_t *at, char text[FX_ARGS_ERROR])
{
    while (*at < args->n) {
        const struct arg_entry *e = &args->entries[(*at)++];
        if (e->from_file && !e->section && !general_counts(args, e->option)) {
            snprintf(text, FX_ARGS_ERROR,
                     "Config setting for -%s only applied on %s network when in [%s] section.",
                     e->option->name, args->selected, args->selected);
            return text;
        }
    }
    return NULL;
}

static void help_wrap(struct fx_buf *out, const char *text)
{
    const size_t indent = 7, width = 79;
    size_t column = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column == 0 || column + 1 + n > width) {
            fx_buf_printf(out, "%s%*s", column ? "\n" : "", (int)indent, "");
            column = indent;
        } else {
            fx_buf_str(out, " ");
            column++;
        }
        fx_buf_bytes(out, text, n);
        column += n;
        text += n;
        while (*text == ' ') {
            text++;
        }
    }
    fx_buf_str(out, "\n\n");
}

void fx_args_help(const struct fx_args *args, struct fx_buf *out)
{
    const char *group = NULL;
    for (const struct fx_arg_option *o = args->table; o->name; o++) {
        if (o->flags & FX_ARG_HIDDEN) {
            continue;
        }
        if (o->group && (!group || strcmp(group, o->group) != 0)) {
            group = o->group;
            fx_buf_printf(out, "%s:\n\n", group);
        }
        fx_buf_printf(out, "  -%s", o->name);
        if (o->hint) {
            fx_buf_printf(out, "=%s", o->hint);
        }
        fx_buf_str(out, "\n");
        help_wrap(out, o->help);
    }
}
