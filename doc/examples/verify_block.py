#!/usr/bin/python3
"""What libfornaxconsensus can say of a block, with the block alone, by ctypes:

    fornax-cli getblock HASH 0 | verify_block.py main [LIBRARY]

LIBRARY is the file of the library, where the system does not find it by its name. The output and the exit status are those
of verify_block.c: 0 where the proof is valid, 1 where it is not, 2 for bad input.
"""
import ctypes
import sys

NETWORKS = {'main': 0, 'test': 1, 'regtest': 2}
VERIFY_ALL = 1 << 0 | 1 << 2 | 1 << 4 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 17
ROWS, DEPTH = 128, 256


class UTXO(ctypes.Structure):
    """fornaxconsensus_UTXO."""
    _fields_ = [('script', ctypes.c_char_p), ('script_size', ctypes.c_uint), ('value', ctypes.c_int64)]


def load(path):
    """The library, with the types of the calls that are used here."""
    lib = ctypes.CDLL(path)
    hash_in, hash_out, u32, u64 = ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_uint64
    lib.fornaxconsensus_check_work.argtypes = [ctypes.c_uint, ctypes.c_char_p, ctypes.c_size_t, hash_out,
                                               ctypes.POINTER(ctypes.c_char_p)]
    lib.fornaxconsensus_brick_ticket.argtypes = [hash_in, ctypes.c_char_p, ctypes.c_char_p, u32, u32, u32, hash_out]
    lib.fornaxconsensus_operand_root.argtypes = [ctypes.c_char_p, u64, u64, hash_out]
    lib.fornaxconsensus_result_root.argtypes = [ctypes.POINTER(ctypes.c_int32), u64, u64, hash_in, hash_out]
    lib.fornaxconsensus_verify_script_with_spent_outputs.argtypes = [
        ctypes.c_char_p, ctypes.c_uint, ctypes.c_int64, ctypes.c_char_p, ctypes.c_uint, ctypes.POINTER(UTXO), ctypes.c_uint,
        ctypes.c_uint, ctypes.c_uint, ctypes.POINTER(ctypes.c_int)]
    return lib


def fail():
    print('the library refuses the arguments of the example', file=sys.stderr)
    sys.exit(2)


def out_hash(call, *args):
    """The 32 bytes that a call writes to its last argument."""
    out = ctypes.create_string_buffer(32)
    if not call(*args, out):
        fail()
    return out.raw


def show_brick(lib):
    """A brick of two operands with one panel and one segment each, under a seed of zeros."""
    a = [at % 128 - 64 for at in range(ROWS * DEPTH)]
    b = [at % 101 - 50 for at in range(ROWS * DEPTH)]  # transposed: its rows are the columns
    rows_a = [a[at:at + DEPTH] for at in range(0, len(a), DEPTH)]
    rows_b = [b[at:at + DEPTH] for at in range(0, len(b), DEPTH)]
    product = [sum(x * y for x, y in zip(row, column)) for row in rows_a for column in rows_b]
    bytes_a, bytes_b = bytes(x & 0xff for x in a), bytes(x & 0xff for x in b)

    ticket = out_hash(lib.fornaxconsensus_brick_ticket, bytes(32), bytes_a, bytes_b, 0, 0, 0)
    print('brick', ticket[::-1].hex())
    print('root-a', out_hash(lib.fornaxconsensus_operand_root, bytes_a, ROWS, DEPTH).hex())
    print('root-b', out_hash(lib.fornaxconsensus_operand_root, bytes_b, ROWS, DEPTH).hex())
    result = (ctypes.c_int32 * len(product))(*product)
    print('root-c', out_hash(lib.fornaxconsensus_result_root, result, ROWS, ROWS, bytes(32)).hex())


def show_script(lib):
    """A transaction of one input that spends an output with the script 2 OP_EQUAL: it must push a 2."""
    script = bytes.fromhex('5287')
    spent, error = UTXO(script, len(script), 1000), ctypes.c_int()
    for pushed in (2, 3):
        tx = bytes.fromhex('0200000001' + 32 * '09' + '0000000001%02xffffffff' % (0x50 + pushed) + '01' + 8 * '00' + '015100000000')
        valid = lib.fornaxconsensus_verify_script_with_spent_outputs(script, len(script), spent.value, tx, len(tx), spent, 1, 0,
                                                                     VERIFY_ALL, error)
        if error.value != 0:
            fail()
        print('script with %d %s' % (pushed, 'valid' if valid else 'invalid'))


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in NETWORKS:
        print('usage: fornax-cli getblock HASH 0 | verify_block.py main|test|regtest [LIBRARY]', file=sys.stderr)
        return 2
    lib = load(sys.argv[2] if len(sys.argv) == 3 else 'libfornaxconsensus.so.0')
    try:
        block = bytes.fromhex(sys.stdin.read())
    except ValueError:
        print('standard input is not one block in hex', file=sys.stderr)
        return 2
    ticket, reject = ctypes.create_string_buffer(32), ctypes.c_char_p()
    valid = lib.fornaxconsensus_check_work(NETWORKS[sys.argv[1]], block, len(block), ticket, reject)
    if reject.value is None:
        print('a block of the hash lane has no work proof', file=sys.stderr)
        return 2
    print('work', 'valid' if valid else reject.value.decode())
    if valid:
        print('ticket', ticket.raw[::-1].hex())
    show_brick(lib)
    show_script(lib)
    return 0 if valid else 1


if __name__ == '__main__':
    sys.exit(main())
