/*
 * What libfornaxconsensus can say of a block, with the block alone:
 *
 *     cc -o verify_block verify_block.c $(pkg-config --cflags --libs libfornaxconsensus)
 *     fornax-cli getblock HASH 0 | ./verify_block main
 *
 * It prints the library's verdict of the work proof and the ticket, then what the library makes of
 * two small inputs of its own: a brick, the roots of its operands, and a script. Exit status: 0
 * where the proof is valid, 1 where it is not, 2 for bad input.
 */
#include <fornaxconsensus.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_MAX 4000000 /* bytes of the longest block */
#define ROWS 128
#define DEPTH 256

/* A number as people write it: the last byte of the little-endian form first. */
static void print_number(const char *name, const uint8_t number[32])
{
    printf("%s ", name);
    for (int at = 31; at >= 0; at--) {
        printf("%02x", number[at]);
    }
    printf("\n");
}

static void print_bytes(const char *name, const uint8_t bytes[32])
{
    printf("%s ", name);
    for (int at = 0; at < 32; at++) {
        printf("%02x", bytes[at]);
    }
    printf("\n");
}

static int digit(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes that standard input has as hex on one line; -1 where it has anything else. */
static long read_hex(uint8_t *bytes, long max)
{
    long n = 0;
    int high = getchar();

    while (high != EOF && high != '\n') {
        int low = getchar();

        if (n == max || digit(high) < 0 || digit(low) < 0) {
            return -1;
        }
        bytes[n++] = (uint8_t)(16 * digit(high) + digit(low));
        high = getchar();
    }
    return n;
}

static int network_of(const char *name)
{
    static const char *const names[] = {"main", "test", "regtest"};

    for (int at = 0; at < 3; at++) {
        if (strcmp(names[at], name) == 0) {
            return at; /* the values of FORNAXCONSENSUS_NETWORK_* */
        }
    }
    return -1;
}

/* A brick of two operands with one panel and one segment each, under a seed of zeros. */
static int show_brick(void)
{
    static int8_t a[ROWS * DEPTH], b[ROWS * DEPTH]; /* b is transposed: rows are columns */
    static int32_t product[ROWS * ROWS];
    uint8_t seed[32] = {0}, solver[32] = {0}, out[32];

    for (int at = 0; at < ROWS * DEPTH; at++) {
        a[at] = (int8_t)(at % 128 - 64);
        b[at] = (int8_t)(at % 101 - 50);
    }
    for (int row = 0; row < ROWS; row++) {
        for (int column = 0; column < ROWS; column++) {
            for (int k = 0; k < DEPTH; k++) {
                product[row * ROWS + column] += a[row * DEPTH + k] * b[column * DEPTH + k];
            }
        }
    }
    if (!fornaxconsensus_brick_ticket(seed, a, b, 0, 0, 0, out)) {
        return 0;
    }
    print_number("brick", out);
    if (!fornaxconsensus_operand_root(a, ROWS, DEPTH, out)) {
        return 0;
    }
    print_bytes("root-a", out);
    if (!fornaxconsensus_operand_root(b, ROWS, DEPTH, out)) {
        return 0;
    }
    print_bytes("root-b", out);
    if (!fornaxconsensus_result_root(product, ROWS, ROWS, solver, out)) {
        return 0;
    }
    print_bytes("root-c", out);
    return 1;
}

/* A transaction of one input that spends an output with the script 2 OP_EQUAL: it must push a 2. */
static int show_script(void)
{
    static const unsigned char script[] = {0x52, 0x87};
    unsigned char tx[] = {
        2, 0, 0, 0, 1,                                                    /* one input */
        9, 9, 9, 9, 9, 9,    9,    9,    9,    9,    9,    9, 9, 9, 9, 9, /* of a txid */
        9, 9, 9, 9, 9, 9,    9,    9,    9,    9,    9,    9, 9, 9, 9, 9, /* ... */
        0, 0, 0, 0, 1, 0x52, 0xff, 0xff, 0xff, 0xff,                      /* it pushes 2 */
        1, 0, 0, 0, 0, 0,    0,    0,    0,    1,    0x51, 0, 0, 0, 0};   /* an output */
    fornaxconsensus_UTXO spent = {script, sizeof(script), 1000};
    fornaxconsensus_error error;

    for (int pushed = 2; pushed <= 3; pushed++) {
        int valid;

        tx[42] = (unsigned char)(0x50 + pushed);
        valid = fornaxconsensus_verify_script_with_spent_outputs(
            script, sizeof(script), spent.value, tx, sizeof(tx), &spent, 1, 0,
            fornaxconsensus_SCRIPT_FLAGS_VERIFY_ALL, &error);
        if (error != fornaxconsensus_ERR_OK) {
            return 0;
        }
        printf("script with %d %s\n", pushed, valid ? "valid" : "invalid");
    }
    return 1;
}

int main(int argc, char **argv)
{
    int network = argc == 2 ? network_of(argv[1]) : -1;
    static uint8_t block[BLOCK_MAX];
    uint8_t ticket[32];
    const char *reject;
    int valid;
    long n;

    if (network < 0) {
        fprintf(stderr, "usage: fornax-cli getblock HASH 0 | verify_block main|test|regtest\n");
        return 2;
    }
    n = read_hex(block, BLOCK_MAX);
    if (n < 0) {
        fprintf(stderr, "standard input is not one block in hex\n");
        return 2;
    }
    valid = fornaxconsensus_check_work((unsigned)network, block, (size_t)n, ticket, &reject);
    if (reject == NULL) {
        fprintf(stderr, "a block of the hash lane has no work proof\n");
        return 2;
    }
    printf("work %s\n", valid ? "valid" : reject);
    if (valid) {
        print_number("ticket", ticket);
    }
    if (!show_brick() || !show_script()) {
        fprintf(stderr, "the library refuses the arguments of the example\n");
        return 2;
    }
    return valid ? 0 : 1;
}
