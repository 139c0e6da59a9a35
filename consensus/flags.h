/*
 * Which rules the interpreter applies. The bits are those of Bitcoin Core, which libfornaxconsensus
 * takes from its callers. A rule that is off is never stricter than the same rule on.
 */
#ifndef FX_CONSENSUS_FLAGS_H
#define FX_CONSENSUS_FLAGS_H

#include <stdint.h>

#define FX_VERIFY_NONE UINT32_C(0)
/* Pay-to-script-hash (BIP16). */
#define FX_VERIFY_P2SH (UINT32_C(1) << 0)
/* Signatures are strict DER with a known hash type, public keys of a known form. */
#define FX_VERIFY_STRICTENC (UINT32_C(1) << 1)
/* Signatures are strict DER (BIP66). */
#define FX_VERIFY_DERSIG (UINT32_C(1) << 2)
/* The s of a signature is at most half the order of the group; implies strict DER. */
#define FX_VERIFY_LOW_S (UINT32_C(1) << 3)
/* The item that CHECKMULTISIG takes too many is empty (BIP147). */
#define FX_VERIFY_NULLDUMMY (UINT32_C(1) << 4)
/* An input's script only pushes. */
#define FX_VERIFY_SIGPUSHONLY (UINT32_C(1) << 5)
/* Pushes and numbers have their shortest form. */
#define FX_VERIFY_MINIMALDATA (UINT32_C(1) << 6)
/* NOP1 and NOP4 to NOP10 are left for later rules. */
#define FX_VERIFY_DISCOURAGE_UPGRADABLE_NOPS (UINT32_C(1) << 7)
/* One item is left at the end. Only together with P2SH and WITNESS. */
#define FX_VERIFY_CLEANSTACK (UINT32_C(1) << 8)
/* CHECKLOCKTIMEVERIFY (BIP65). */
#define FX_VERIFY_CHECKLOCKTIMEVERIFY (UINT32_C(1) << 9)
/* CHECKSEQUENCEVERIFY (BIP112). */
#define FX_VERIFY_CHECKSEQUENCEVERIFY (UINT32_C(1) << 10)
/* Witness programs (BIP141). Only together with P2SH. */
#define FX_VERIFY_WITNESS (UINT32_C(1) << 11)
/* Witness programs that no rule knows are left for later rules. */
#define FX_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM (UINT32_C(1) << 12)
/* Version 0: what IF and NOTIF take is empty or 01. */
#define FX_VERIFY_MINIMALIF (UINT32_C(1) << 13)
/* A signature that does not verify is empty. */
#define FX_VERIFY_NULLFAIL (UINT32_C(1) << 14)
/* Version 0: public keys are compressed. */
#define FX_VERIFY_WITNESS_PUBKEYTYPE (UINT32_C(1) << 15)
/* No CODESEPARATOR and no signature to delete in scripts before segwit. */
#define FX_VERIFY_CONST_SCRIPTCODE (UINT32_C(1) << 16)
/* Taproot and tapscript (BIP341, BIP342). */
#define FX_VERIFY_TAPROOT (UINT32_C(1) << 17)
/* Leaf versions, OP_SUCCESS and key forms that no rule knows are left for later rules. */
#define FX_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION (UINT32_C(1) << 18)
#define FX_VERIFY_DISCOURAGE_OP_SUCCESS (UINT32_C(1) << 19)
#define FX_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE (UINT32_C(1) << 20)

/* The rules of blocks. */
#define FX_VERIFY_CONSENSUS                                                                    \
    (FX_VERIFY_P2SH | FX_VERIFY_DERSIG | FX_VERIFY_NULLDUMMY | FX_VERIFY_CHECKLOCKTIMEVERIFY | \
     FX_VERIFY_CHECKSEQUENCEVERIFY | FX_VERIFY_WITNESS | FX_VERIFY_TAPROOT)

/* What a node relays is held to more, all of it Bitcoin Core's standard. */
#define FX_VERIFY_POLICY                                                                  \
    (FX_VERIFY_STRICTENC | FX_VERIFY_MINIMALDATA | FX_VERIFY_DISCOURAGE_UPGRADABLE_NOPS | \
     FX_VERIFY_CLEANSTACK | FX_VERIFY_MINIMALIF | FX_VERIFY_NULLFAIL | FX_VERIFY_LOW_S |  \
     FX_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM | FX_VERIFY_WITNESS_PUBKEYTYPE |     \
     FX_VERIFY_CONST_SCRIPTCODE | FX_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION |       \
     FX_VERIFY_DISCOURAGE_OP_SUCCESS | FX_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE)
#define FX_VERIFY_STANDARD (FX_VERIFY_CONSENSUS | FX_VERIFY_POLICY)

#endif
