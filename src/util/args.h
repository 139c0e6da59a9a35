/*
 * Options in Bitcoin's flag style: `-name`, `-name=value`, `-noname` on the command line, and
 * `name=value` in a configuration file with a [section] a network. Shared by fornaxd, fornax-cli
 * and fornax-miner; each brings its own table. Pure: the caller reads the file.
 *
 * For a single value the command line goes first (the last one given), then the network's section
 * of the file, then what stands before any section (in the file the first one given). A list is all
 * of these in that order; a negation empties the list so far.
 */
#ifndef FX_UTIL_ARGS_H
#define FX_UTIL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/buf.h"

#define FX_ARGS_ERROR 256

enum fx_arg_type { FX_ARG_BOOL = 0, FX_ARG_INT, FX_ARG_STR };

enum fx_arg_flags {
    /* On test and regtest it counts in the file only inside the section of the network: ports,
     * addresses and wallets of one network must not leak into another. */
    FX_ARG_NETWORK = 1,
    FX_ARG_COMMAND_LINE = 2, /* not allowed in a file */
    FX_ARG_HIDDEN = 4,       /* not in the help */
    FX_ARG_BARE = 8          /* may stand without =value, which is then "" */
};

/* A table ends with name NULL. Strings live as long as the fx_args. */
struct fx_arg_option {
    const char *name; /* without dash */
    enum fx_arg_type type;
    const char *hint;  /* of the value, for the help: "<port>"; NULL for none */
    const char *group; /* heading in the help; options of one group stand together */
    const char *help;
    int64_t min, max; /* FX_ARG_INT; both 0: any */
    unsigned flags;   /* enum fx_arg_flags */
};

struct fx_args; /* opaque */

/* Was the program started under this name? By the last part of argv[0], which may be NULL. */
bool fx_args_program_is(const char *argv0, const char *name);

struct fx_args *fx_args_create(const struct fx_arg_option *table);
void fx_args_destroy(struct fx_args *args); /* NULL: nothing */

/*
 * Reads options from argv[1] on, up to the first word that does not start with a dash; *rest is its
 * index (argc where there is none). -? and -h are -help. False: error names the option.
 */
bool fx_args_parse(struct fx_args *args, int argc, char *const *argv, int *rest,
                   char error[FX_ARGS_ERROR]);
/*
 * Reads the text of a configuration file. unknown_ok: names that are not in the table, and
 * sections of no network, are skipped (a file is shared by several programs). False: error names
 * line and cause.
 */
bool fx_args_config(struct fx_args *args, const char *text, bool unknown_ok,
                    char error[FX_ARGS_ERROR]);

/*
 * "main", "test", "regtest" or "btcregtest" by -chain, -test (-testnet), -regtest and -btcregtest,
 * where the table has them; NULL, with an error, where they contradict each other or name no
 * network.
 */
const char *fx_args_chain(const struct fx_args *args, char error[FX_ARGS_ERROR]);
/* Options are those of this network from now on. section must live on. */
void fx_args_select(struct fx_args *args, const char *section);
/* Notes on options of the file that the selected network ignores, one after the other: *at starts
 * at 0; NULL at the end. */
const char *fx_args_warning(const struct fx_args *args, size_t *at, char text[FX_ARGS_ERROR]);

/* The name must be in the table. */
bool fx_args_has(const struct fx_args *args, const char *name); /* given, also as -noname */
bool fx_args_negated(const struct fx_args *args, const char *name);
/* A negated string is "0". The result lives as long as args; fallback may be NULL. */
const char *fx_args_str(const struct fx_args *args, const char *name, const char *fallback);
bool fx_args_bool(const struct fx_args *args, const char *name, bool fallback);
int64_t fx_args_int(const struct fx_args *args, const char *name, int64_t fallback);
/* *values is the caller's to free, the strings are not. */
size_t fx_args_list(const struct fx_args *args, const char *name, const char ***values);

/* The help of all options that are not hidden, wrapped at 79 columns. */
void fx_args_help(const struct fx_args *args, struct fx_buf *out);

#endif
