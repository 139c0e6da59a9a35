/* Unit tests of src/util/args.c: flags, files with sections, precedence, refusals. */
#include "src/util/args.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"

static const struct fx_arg_option table[] = {
    {"regtest", FX_ARG_BOOL, NULL, "Chain", "Use the regression test chain.", 0, 0, 0},
    {"test", FX_ARG_BOOL, NULL, "Chain", "Use the test chain.", 0, 0, 0},
    {"chain", FX_ARG_STR, "<chain>", "Chain", "Use this chain.", 0, 0, 0},
    {"help", FX_ARG_BOOL, NULL, "Chain", "Help.", 0, 0, FX_ARG_HIDDEN},
    {"server", FX_ARG_BOOL, NULL, "RPC", "Accept commands.", 0, 0, 0},
    {"rpcport", FX_ARG_INT, "<port>", "RPC", "Port.", 1, 65535, FX_ARG_NETWORK},
    {"debug", FX_ARG_STR, "<category>", "Debug", "Log this.", 0, 0, 0},
    {"conf", FX_ARG_STR, "<file>", "Debug", "File.", 0, 0, FX_ARG_COMMAND_LINE},
    {"rpcpassword", FX_ARG_STR, "<pw>", "RPC", "Password.", 0, 0, FX_ARG_HIDDEN},
    {NULL, FX_ARG_BOOL, NULL, NULL, NULL, 0, 0, 0},
};

static char error[FX_ARGS_ERROR];

static bool parse(struct fx_args *args, const char *words, int *rest)
{
    static char text[256];
    static char program[] = "program";
    char *argv[16] = {program};
    int argc = 1;
    char *save = NULL;
    strncpy(text, words, sizeof(text) - 1);
    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        argv[argc++] = w;
    }
    return fx_args_parse(args, argc, argv, rest, error);
}

FX_TEST(flags_and_the_first_word)
{
    struct fx_args *args = fx_args_create(table);
    int rest;
    FX_CHECK(parse(args, "-regtest --rpcport=1234 -noserver getblock -debug=x", &rest));
    FX_CHECK_INT(rest, 4);
    FX_CHECK(fx_args_bool(args, "regtest", false));
    FX_CHECK_INT(fx_args_int(args, "rpcport", 1), 1234);
    FX_CHECK(!fx_args_bool(args, "server", true));
    FX_CHECK(fx_args_negated(args, "server"));
    FX_CHECK(!fx_args_has(args, "debug"));
    FX_CHECK_STR(fx_args_chain(args, error), "regtest");
    fx_args_destroy(args);
}

FX_TEST(short_names_of_help)
{
    static const char *const words[] = {"-?", "-h", "--?", "-help"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct fx_args *args = fx_args_create(table);
        int rest;
        FX_CHECK(parse(args, words[i], &rest));
        FX_CHECK(fx_args_bool(args, "help", false));
        fx_args_destroy(args);
    }
}

FX_TEST(later_flags_win_and_lists_keep_all)
{
    struct fx_args *args = fx_args_create(table);
    const char **list;
    int rest;
    FX_CHECK(parse(args, "-rpcport=1 -rpcport=2 -debug=a -debug=b", &rest));
    FX_CHECK_INT(rest, 5);
    FX_CHECK_INT(fx_args_int(args, "rpcport", 0), 2);
    FX_CHECK(fx_args_config(args, "debug=c\nrpcport=3\n", false, error));
    FX_CHECK_INT(fx_args_int(args, "rpcport", 0), 2);
    FX_CHECK_INT(fx_args_list(args, "debug", &list), 3);
    FX_CHECK_STR(list[0], "a");
    FX_CHECK_STR(list[2], "c");
    free(list);
    FX_CHECK(parse(args, "-nodebug -debug=d", &rest));
    FX_CHECK_INT(fx_args_list(args, "debug", &list), 2);
    FX_CHECK_STR(list[0], "d");
    FX_CHECK_STR(list[1], "c");
    free(list);
    fx_args_destroy(args);
}

FX_TEST(refused_flags)
{
    static const char *const bad[][2] = {
        {"-nothing", "Invalid parameter -nothing"},
        {"-rpcport=abc", "'abc' is not a whole number"},
        {"-rpcport=1x", "'1x' is not a whole number"},
        {"-rpcport=99999999999999999999", "is not a whole number"},
        {"-rpcport=0", "0 is not from 1 to 65535"},
        {"-rpcport", "-rpcport needs a value"},
        {"-server=maybe", "'maybe' (0 or 1 is expected)"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fx_args *args = fx_args_create(table);
        int rest;
        FX_CHECK(!parse(args, bad[i][0], &rest));
        if (!strstr(error, bad[i][1])) {
            FX_FAIL("%s: %s", bad[i][0], error);
        }
        fx_args_destroy(args);
    }
}

FX_TEST(sections_of_the_file)
{
    struct fx_args *args = fx_args_create(table);
    size_t at = 0;
    char text[FX_ARGS_ERROR];
    FX_CHECK(fx_args_config(args,
                            "# a comment\n server = 1 # on\r\nregtest=1\nrpcport=10\n"
                            "test.rpcport=20\n\n[regtest]\nrpcport=30\nrpcport=31\ndebug=net\n"
                            "[test]\nserver=0",
                            false, error));
    FX_CHECK_STR(fx_args_chain(args, error), "regtest");
    FX_CHECK_INT(fx_args_int(args, "rpcport", 0), 10);
    fx_args_select(args, "regtest");
    FX_CHECK_INT(fx_args_int(args, "rpcport", 0), 30);
    FX_CHECK_STR(fx_args_str(args, "debug", ""), "net");
    FX_CHECK(fx_args_bool(args, "server", false));
    FX_CHECK_STR(fx_args_warning(args, &at, text),
                 "Config setting for -rpcport only applied on regtest network when in [regtest] "
                 "section.");
    FX_CHECK(!fx_args_warning(args, &at, text));
    fx_args_select(args, "test");
    FX_CHECK_INT(fx_args_int(args, "rpcport", 0), 20);
    FX_CHECK(!fx_args_bool(args, "server", true));
    fx_args_destroy(args);
}

FX_TEST(refused_lines)
{
    static const char *const bad[][2] = {
        {"server=1\nx=2\n", "line 2: there is no option x"},
        {"-server=1", "line 1: -server=1: options in a configuration file are written without"},
        {"server", "line 1: server: an option is written name=value"},
        {"\n[regtest\n", "line 2: a section is written [name]"},
        {"rpcport=70000", "line 1: Invalid value for -rpcport: 70000"},
        {"[regtst]\nserver=1\n", "line 1: [regtst] is no network: main, test, regtest and"},
        {"server=1\ntst.rpcport=1\n", "line 2: [tst] is no network"},
        {"conf=a", "line 1: conf is allowed on the command line only"},
        {"rpcpassword=a#b", "line 1: using # in rpcpassword"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fx_args *args = fx_args_create(table);
        FX_CHECK(!fx_args_config(args, bad[i][0], false, error));
        if (!strstr(error, bad[i][1])) {
            FX_FAIL("%s: %s", bad[i][0], error);
        }
        fx_args_destroy(args);
    }
    struct fx_args *args = fx_args_create(table);
    FX_CHECK(fx_args_config(args, "unknown=1\nserver=1\n[signet]\nserver=0\n", true, error));
    FX_CHECK(fx_args_bool(args, "server", false));
    fx_args_destroy(args);
}

FX_TEST(one_chain_only)
{
    struct fx_args *args = fx_args_create(table);
    int rest;
    FX_CHECK_STR(fx_args_chain(args, error), "main");
    FX_CHECK(parse(args, "-regtest -chain=test", &rest));
    FX_CHECK(!fx_args_chain(args, error));
    FX_CHECK(strstr(error, "Invalid combination of"));
    fx_args_destroy(args);
    args = fx_args_create(table);
    FX_CHECK(parse(args, "-chain=moon", &rest));
    FX_CHECK(!fx_args_chain(args, error));
    FX_CHECK(strstr(error, "Unknown chain moon"));
    fx_args_destroy(args);
}

FX_TEST(help_names_what_is_not_hidden)
{
    struct fx_args *args = fx_args_create(table);
    struct fx_buf out = FX_BUF_INIT;
    fx_args_help(args, &out);
    fx_buf_u8(&out, 0);
    const char *text = (const char *)out.data;
    FX_CHECK(strstr(text, "Chain:\n\n  -regtest\n       Use the regression test chain.\n\n"));
    FX_CHECK(strstr(text, "  -rpcport=<port>\n"));
    FX_CHECK(!strstr(text, "rpcpassword"));
    fx_buf_clear(&out);
    fx_args_destroy(args);
}
