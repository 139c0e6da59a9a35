/*
 * The opcodes of Bitcoin's script language. Values 0x01 to 0x4b push as many bytes as they say and
 * have no name of their own.
 */
#ifndef FX_CONSENSUS_OPCODES_H
#define FX_CONSENSUS_OPCODES_H

#include <stdbool.h>
#include <stdint.h>

/* name, value, the name that Bitcoin Core's RPC shows */
#define FX_OPCODES(X)                                            \
    X(FX_OP_0, 0x00, "0")                                        \
    X(FX_OP_PUSHDATA1, 0x4c, "OP_PUSHDATA1")                     \
    X(FX_OP_PUSHDATA2, 0x4d, "OP_PUSHDATA2")                     \
    X(FX_OP_PUSHDATA4, 0x4e, "OP_PUSHDATA4")                     \
    X(FX_OP_1NEGATE, 0x4f, "-1")                                 \
    X(FX_OP_RESERVED, 0x50, "OP_RESERVED")                       \
    X(FX_OP_1, 0x51, "1")                                        \
    X(FX_OP_2, 0x52, "2")                                        \
    X(FX_OP_3, 0x53, "3")                                        \
    X(FX_OP_4, 0x54, "4")                                        \
    X(FX_OP_5, 0x55, "5")                                        \
    X(FX_OP_6, 0x56, "6")                                        \
    X(FX_OP_7, 0x57, "7")                                        \
    X(FX_OP_8, 0x58, "8")                                        \
    X(FX_OP_9, 0x59, "9")                                        \
    X(FX_OP_10, 0x5a, "10")                                      \
    X(FX_OP_11, 0x5b, "11")                                      \
    X(FX_OP_12, 0x5c, "12")                                      \
    X(FX_OP_13, 0x5d, "13")                                      \
    X(FX_OP_14, 0x5e, "14")                                      \
    X(FX_OP_15, 0x5f, "15")                                      \
    X(FX_OP_16, 0x60, "16")                                      \
    X(FX_OP_NOP, 0x61, "OP_NOP")                                 \
    X(FX_OP_VER, 0x62, "OP_VER")                                 \
    X(FX_OP_IF, 0x63, "OP_IF")                                   \
    X(FX_OP_NOTIF, 0x64, "OP_NOTIF")                             \
    X(FX_OP_VERIF, 0x65, "OP_VERIF")                             \
    X(FX_OP_VERNOTIF, 0x66, "OP_VERNOTIF")                       \
    X(FX_OP_ELSE, 0x67, "OP_ELSE")                               \
    X(FX_OP_ENDIF, 0x68, "OP_ENDIF")                             \
    X(FX_OP_VERIFY, 0x69, "OP_VERIFY")                           \
    X(FX_OP_RETURN, 0x6a, "OP_RETURN")                           \
    X(FX_OP_TOALTSTACK, 0x6b, "OP_TOALTSTACK")                   \
    X(FX_OP_FROMALTSTACK, 0x6c, "OP_FROMALTSTACK")               \
    X(FX_OP_2DROP, 0x6d, "OP_2DROP")                             \
    X(FX_OP_2DUP, 0x6e, "OP_2DUP")                               \
    X(FX_OP_3DUP, 0x6f, "OP_3DUP")                               \
    X(FX_OP_2OVER, 0x70, "OP_2OVER")                             \
    X(FX_OP_2ROT, 0x71, "OP_2ROT")                               \
    X(FX_OP_2SWAP, 0x72, "OP_2SWAP")                             \
    X(FX_OP_IFDUP, 0x73, "OP_IFDUP")                             \
    X(FX_OP_DEPTH, 0x74, "OP_DEPTH")                             \
    X(FX_OP_DROP, 0x75, "OP_DROP")                               \
    X(FX_OP_DUP, 0x76, "OP_DUP")                                 \
    X(FX_OP_NIP, 0x77, "OP_NIP")                                 \
    X(FX_OP_OVER, 0x78, "OP_OVER")                               \
    X(FX_OP_PICK, 0x79, "OP_PICK")                               \
    X(FX_OP_ROLL, 0x7a, "OP_ROLL")                               \
    X(FX_OP_ROT, 0x7b, "OP_ROT")                                 \
    X(FX_OP_SWAP, 0x7c, "OP_SWAP")                               \
    X(FX_OP_TUCK, 0x7d, "OP_TUCK")                               \
    X(FX_OP_CAT, 0x7e, "OP_CAT")                                 \
    X(FX_OP_SUBSTR, 0x7f, "OP_SUBSTR")                           \
    X(FX_OP_LEFT, 0x80, "OP_LEFT")                               \
    X(FX_OP_RIGHT, 0x81, "OP_RIGHT")                             \
    X(FX_OP_SIZE, 0x82, "OP_SIZE")                               \
    X(FX_OP_INVERT, 0x83, "OP_INVERT")                           \
    X(FX_OP_AND, 0x84, "OP_AND")                                 \
    X(FX_OP_OR, 0x85, "OP_OR")                                   \
    X(FX_OP_XOR, 0x86, "OP_XOR")                                 \
    X(FX_OP_EQUAL, 0x87, "OP_EQUAL")                             \
    X(FX_OP_EQUALVERIFY, 0x88, "OP_EQUALVERIFY")                 \
    X(FX_OP_RESERVED1, 0x89, "OP_RESERVED1")                     \
    X(FX_OP_RESERVED2, 0x8a, "OP_RESERVED2")                     \
    X(FX_OP_1ADD, 0x8b, "OP_1ADD")                               \
    X(FX_OP_1SUB, 0x8c, "OP_1SUB")                               \
    X(FX_OP_2MUL, 0x8d, "OP_2MUL")                               \
    X(FX_OP_2DIV, 0x8e, "OP_2DIV")                               \
    X(FX_OP_NEGATE, 0x8f, "OP_NEGATE")                           \
    X(FX_OP_ABS, 0x90, "OP_ABS")                                 \
    X(FX_OP_NOT, 0x91, "OP_NOT")                                 \
    X(FX_OP_0NOTEQUAL, 0x92, "OP_0NOTEQUAL")                     \
    X(FX_OP_ADD, 0x93, "OP_ADD")                                 \
    X(FX_OP_SUB, 0x94, "OP_SUB")                                 \
    X(FX_OP_MUL, 0x95, "OP_MUL")                                 \
    X(FX_OP_DIV, 0x96, "OP_DIV")                                 \
    X(FX_OP_MOD, 0x97, "OP_MOD")                                 \
    X(FX_OP_LSHIFT, 0x98, "OP_LSHIFT")                           \
    X(FX_OP_RSHIFT, 0x99, "OP_RSHIFT")                           \
    X(FX_OP_BOOLAND, 0x9a, "OP_BOOLAND")                         \
    X(FX_OP_BOOLOR, 0x9b, "OP_BOOLOR")                           \
    X(FX_OP_NUMEQUAL, 0x9c, "OP_NUMEQUAL")                       \
    X(FX_OP_NUMEQUALVERIFY, 0x9d, "OP_NUMEQUALVERIFY")           \
    X(FX_OP_NUMNOTEQUAL, 0x9e, "OP_NUMNOTEQUAL")                 \
    X(FX_OP_LESSTHAN, 0x9f, "OP_LESSTHAN")                       \
    X(FX_OP_GREATERTHAN, 0xa0, "OP_GREATERTHAN")                 \
    X(FX_OP_LESSTHANOREQUAL, 0xa1, "OP_LESSTHANOREQUAL")         \
    X(FX_OP_GREATERTHANOREQUAL, 0xa2, "OP_GREATERTHANOREQUAL")   \
    X(FX_OP_MIN, 0xa3, "OP_MIN")                                 \
    X(FX_OP_MAX, 0xa4, "OP_MAX")                                 \
    X(FX_OP_WITHIN, 0xa5, "OP_WITHIN")                           \
    X(FX_OP_RIPEMD160, 0xa6, "OP_RIPEMD160")                     \
    X(FX_OP_SHA1, 0xa7, "OP_SHA1")                               \
    X(FX_OP_SHA256, 0xa8, "OP_SHA256")                           \
    X(FX_OP_HASH160, 0xa9, "OP_HASH160")                         \
    X(FX_OP_HASH256, 0xaa, "OP_HASH256")                         \
    X(FX_OP_CODESEPARATOR, 0xab, "OP_CODESEPARATOR")             \
    X(FX_OP_CHECKSIG, 0xac, "OP_CHECKSIG")                       \
    X(FX_OP_CHECKSIGVERIFY, 0xad, "OP_CHECKSIGVERIFY")           \
    X(FX_OP_CHECKMULTISIG, 0xae, "OP_CHECKMULTISIG")             \
    X(FX_OP_CHECKMULTISIGVERIFY, 0xaf, "OP_CHECKMULTISIGVERIFY") \
    X(FX_OP_NOP1, 0xb0, "OP_NOP1")                               \
    X(FX_OP_CHECKLOCKTIMEVERIFY, 0xb1, "OP_CHECKLOCKTIMEVERIFY") \
    X(FX_OP_CHECKSEQUENCEVERIFY, 0xb2, "OP_CHECKSEQUENCEVERIFY") \
    X(FX_OP_NOP4, 0xb3, "OP_NOP4")                               \
    X(FX_OP_NOP5, 0xb4, "OP_NOP5")                               \
    X(FX_OP_NOP6, 0xb5, "OP_NOP6")                               \
    X(FX_OP_NOP7, 0xb6, "OP_NOP7")                               \
    X(FX_OP_NOP8, 0xb7, "OP_NOP8")                               \
    X(FX_OP_NOP9, 0xb8, "OP_NOP9")                               \
    X(FX_OP_NOP10, 0xb9, "OP_NOP10")                             \
    X(FX_OP_CHECKSIGADD, 0xba, "OP_CHECKSIGADD")                 \
    X(FX_OP_INVALIDOPCODE, 0xff, "OP_INVALIDOPCODE")

#define FX_OPCODE_ENUM(name, value, text) name = value,
enum fx_opcode { FX_OPCODES(FX_OPCODE_ENUM) };
#undef FX_OPCODE_ENUM

/* As Bitcoin Core shows it: "0", "-1", "OP_CHECKSIG"; "OP_UNKNOWN" for a value without a name. */
const char *fx_opcode_name(uint8_t opcode);
/* BIP342: left for later rules; in tapscript one of them makes the script succeed. */
bool fx_opcode_is_success(uint8_t opcode);

#endif
