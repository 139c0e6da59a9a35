/* Descriptors by the vectors of BIP380 to BIP387, and what is wrong with those that are none. */
#include "src/keys/descriptor.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/util/hex.h"

/* A network with the prefixes of Bitcoin's main network, in which the vectors are written. */
static const struct fx_params *bitcoin(void)
{
    static struct fx_params params;
    params = *fx_params_get(FX_BTCREGTEST);
    params.base58_pubkey = 0;
    params.base58_script = 5;
    params.base58_secret = 0x80;
    params.ext_public = 0x0488b21e;
    params.ext_secret = 0x0488ade4;
    params.bech32_hrp = "bc";
    return &params;
}

/* With secrets, without, and the scripts at each position. */
static const struct {
    const char *secret, *public;
    const char *scripts[3][FX_DESCRIPTOR_SCRIPTS_MAX];
} vectors[] = {
    {"combo(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)",
     "combo(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)",
     {{"2103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bdac",
       "76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac",
       "00149a1c78a507689f6f54b847ad1cef1e614ee23f1e",
       "a91484ab21b1b2fd065d4504ff693d832434b6108d7b87"}}},
    {"pk(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)",
     "pk(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)",
     {{"2103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bdac"}}},
    {"pkh([deadbeef/1/2'/3/4']L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)",
     "pkh([deadbeef/1/2'/3/4']03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b5"
     "6ac1c540c5bd)",
     {{"76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac"}}},
    {"wpkh(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)",
     "wpkh(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)",
     {{"00149a1c78a507689f6f54b847ad1cef1e614ee23f1e"}}},
    {"sh(wpkh(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1))",
     "sh(wpkh(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd))",
     {{"a91484ab21b1b2fd065d4504ff693d832434b6108d7b87"}}},
    {"tr(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)",
     "tr(a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)",
     {{"512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11"}}},
    {"combo(5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss)",
     "combo(04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec"
     "5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235)",
     {{"4104a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235"
       "a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235ac",
       "76a914b5bd079c4d57cc7fc28ecf8213a6b791625b818388ac"}}},
    {"pk(5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss)",
     "pk(04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec523"
     "5a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235)",
     {{"4104a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235"
       "a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235ac"}}},
    {"pkh(5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss)",
     "pkh(04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec52"
     "35a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235)",
     {{"76a914b5bd079c4d57cc7fc28ecf8213a6b791625b818388ac"}}},
    {"sh(pk(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1))",
     "sh(pk(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd))",
     {{"a9141857af51a5e516552b3086430fd8ce55f7c1a52487"}}},
    {"sh(pkh(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1))",
     "sh(pkh(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd))",
     {{"a9141a31ad23bf49c247dd531a623c2ef57da3c400c587"}}},
    {"wsh(pk(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1))",
     "wsh(pk(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd))",
     {{"00202e271faa2325c199d25d22e1ead982e45b64eeb4f31e73dbdf41bd4b5fec23fa"}}},
    {"wsh(pkh(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1))",
     "wsh(pkh(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd))",
     {{"0020338e023079b91c58571b20e602d7805fb808c22473cbc391a41b1bd3a192e75b"}}},
    {"sh(wsh(pk(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)))",
     "sh(wsh(pk(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd))"
     ")",
     {{"a91472d0c5a3bfad8c3e7bd5303a72b94240e80b6f1787"}}},
    {"sh(wsh(pkh(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)))",
     "sh(wsh(pkh(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)"
     "))",
     {{"a914b61b92e2ca21bac1e72a3ab859a742982bea960a87"}}},
    {"tr(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5,{pk(03a34b"
     "99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5),{pk(L4rK1yDtCWekvX"
     "uE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1),pk(03a34b99f22c790c4e36b2b3c2c35a36db0"
     "6226e41c692fc82b8b56ac1c540c5)}})",
     "tr(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5,{pk(03a34b"
     "99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5),{pk(a34b99f22c790c"
     "4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd),pk(03a34b99f22c790c4e36b2b"
     "3c2c35a36db06226e41c692fc82b8b56ac1c540c5)}})",
     {{"51201497ae16f30dacb88523ed9301bff17773b609e8a90518a3f96ea328a47d1500"}}},
    {"combo([01234567]xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iA"
     "xn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc)",
     "combo([01234567]xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZR"
     "krgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL)",
     {{"2102d2b36900396c9282fa14628566582f206a5dd0bcc8d5e892611806cafb0301f0ac",
       "76a91431a507b815593dfc51ffc7245ae7e5aee304246e88ac",
       "001431a507b815593dfc51ffc7245ae7e5aee304246e",
       "a9142aafb926eb247cb18240a7f4c07983ad1f37922687"}}},
    {"pk(xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq"
     "6vcBcBUdJCVVFceUvJFjaPdGZ2y9WACViL4L/0)",
     "pk(xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4C"
     "jNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y/0)",
     {{"210379e45b3cf75f9c5f9befd8e9506fb962f6a9d185ac87001ec44a8d3df8d4a9e3ac"}}},
    {"pkh(xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFm"
     "M8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U/2147483647'/0)",
     "pkh(xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6"
     "Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB/2147483647'/0)",
     {{"76a914ebdc90806a9c4356c1c88e42216611e1cb4c1c1788ac"}}},
    {"wpkh([ffffffff/13']xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT"
     "3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fwqWpWkeS3v86pgKt/1/2/*)",
     "wpkh([ffffffff/13']xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGm"
     "XUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH/1/2/*)",
     {{"0014326b2249e3a25d5dc60935f044ee835d090ba859"},
      {"0014af0bd98abc2f2cae66e36896a39ffe2d32984fb7"},
      {"00141fa798efd1cbf95cebf912c031b8a4a6e9fb9f27"}}},
    {"sh(wpkh(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPG"
     "JxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/10/20/30/40/*'))",
     "sh(wpkh(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJo"
     "Cu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/10/20/30/40/*'))",
     {{"a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87"},
      {"a914bed59fc0024fae941d6e20a3b44a109ae740129287"},
      {"a9148483aa1116eb9c05c482a72bada4b1db24af654387"}}},
    {"combo(xprvA2JDeKCSNNZky6uBCviVfJSKyQ1mDYahRjijr5idH2WwLsEd4Hsb2Tyh8RfQMuPh7f7R"
     "tyzTtdrbdqqsunu5Mm3wDvUAKRHSC34sJ7in334/*)",
     "combo(xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLR"
     "QUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV/*)",
     {{"2102df12b7035bdac8e3bab862a3a83d06ea6b17b6753d52edecba9be46f5d09e076ac",
       "76a914f90e3178ca25f2c808dc76624032d352fdbdfaf288ac",
       "0014f90e3178ca25f2c808dc76624032d352fdbdfaf2",
       "a91408f3ea8c68d4a7585bf9e8bda226723f70e445f087"},
      {"21032869a233c9adff9a994e4966e5b821fd5bac066da6c3112488dc52383b4a98ecac",
       "76a914a8409d1b6dfb1ed2a3e8aa5e0ef2ff26b15b75b788ac",
       "0014a8409d1b6dfb1ed2a3e8aa5e0ef2ff26b15b75b7",
       "a91473e39884cb71ae4e5ac9739e9225026c99763e6687"}}},
    {"tr(xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuo"
     "seXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/0/*,pk(xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2Y"
     "vmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/"
     "1/*))",
     "tr(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5Ja"
     "HWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/0/*,pk(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1"
     "ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/"
     "1/*))",
     {{"512078bc707124daa551b65af74de2ec128b7525e10f374dc67b64e00ce0ab8b3e12"},
      {"512001f0a02a17808c20134b78faab80ef93ffba82261ccef0a2314f5d62b6438f11"},
      {"512021024954fcec88237a9386fce80ef2ced5f1e91b422b26c59ccfc174c8d1ad25"}}},
    {"wsh(multi(1,xprvA2JDeKCSNNZky6uBCviVfJSKyQ1mDYahRjijr5idH2WwLsEd4Hsb2Tyh8RfQMu"
     "Ph7f7RtyzTtdrbdqqsunu5Mm3wDvUAKRHSC34sJ7in334/0,L4rK1yDtCWekvXuE6oXD9jCYfFNV2c"
     "WRpVuPLBcCU2z8TrisoyY1))",
     "wsh(multi(1,xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTA"
     "wm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV/0,03a34b99f22c790c4e36b2b3c2c35a"
     "36db06226e41c692fc82b8b56ac1c540c5bd))",
     {{"0020cb155486048b23a6da976d4c6fe071a2dbc8a7b57aaf225b8955f2e2a27b5f00"}}},
    {"multi(1,xprvA2JDeKCSNNZky6uBCviVfJSKyQ1mDYahRjijr5idH2WwLsEd4Hsb2Tyh8RfQMuPh7f"
     "7RtyzTtdrbdqqsunu5Mm3wDvUAKRHSC34sJ7in334/*,L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpV"
     "uPLBcCU2z8TrisoyY1)",
     "multi(1,xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6Z"
     "LRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV/*,03a34b99f22c790c4e36b2b3c2c35a36db"
     "06226e41c692fc82b8b56ac1c540c5bd)",
     {{"512102df12b7035bdac8e3bab862a3a83d06ea6b17b6753d52edecba9be46f5d09e0762103a34b"
       "99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd52ae"},
      {"5121032869a233c9adff9a994e4966e5b821fd5bac066da6c3112488dc52383b4a98ec2103a34b"
       "99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd52ae"},
      {"5121035d30b6c66dc1e036c45369da8287518cf7e0d6ed1e2b905171c605708f14ca032103a34b"
       "99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd52ae"}}},
    {"pkh([01234567/10/20]xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGd"
     "so3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U/2147483647'/0)",
     "pkh([01234567/10/20]xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapS"
     "CGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB/2147483647'/0)",
     {{"76a914ebdc90806a9c4356c1c88e42216611e1cb4c1c1788ac"}}},
    {"multi(1,L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1,5KYZdUEo39z3FPrtu"
     "X2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss)",
     "multi(1,03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd,04a"
     "34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8"
     "722476c7709c02559e3aa73aa03918ba2d492eea75abea235)",
     {{"512103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd4104a34b"
       "99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722"
       "476c7709c02559e3aa73aa03918ba2d492eea75abea23552ae"}}},
    {"sortedmulti(1,L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1,5KYZdUEo39z"
     "3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss)",
     "sortedmulti(1,03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5"
     "bd,04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec523"
     "5a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235)",
     {{"512103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd4104a34b"
       "99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722"
       "476c7709c02559e3aa73aa03918ba2d492eea75abea23552ae"}}},
    {"sortedmulti(1,5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss,L4rK1yDtCWek"
     "vXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)",
     "sortedmulti(1,04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5"
     "bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235,03a34b99f22"
     "c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)",
     {{"512103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd4104a34b"
       "99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722"
       "476c7709c02559e3aa73aa03918ba2d492eea75abea23552ae"}}},
    {"sh(multi(2,[00000000/111'/222]xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJ"
     "XXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc,xprv9uPDJpEQgR"
     "QfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUv"
     "JFjaPdGZ2y9WACViL4L/0))",
     "sh(multi(2,[00000000/111'/222]xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVH"
     "QKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL,xpub68NZiKmJWn"
     "xxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPP"
     "LPxSb7gwQN3ih19Zm4Y/0))",
     {{"a91445a9a622a8b0a1269944be477640eedc447bbd8487"}}},
    {"sortedmulti(2,xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn"
     "8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/*,xprv9uPDJpEQgRQfDcW7BkF7eTya"
     "6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUvJFjaPdGZ2y9WAC"
     "ViL4L/0/0/*)",
     "sortedmulti(2,xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkr"
     "gZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/*,xpub68NZiKmJWnxxS6aaHmn81bvJ"
     "eTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih1"
     "9Zm4Y/0/0/*)",
     {{"5221025d5fc65ebb8d44a5274b53bac21ff8307fec2334a32df05553459f8b1f7fe1b62102fbd4"
       "7cc8034098f0e6a94c6aeee8528abf0a2153a5d8e46d325b7284c046784652ae"},
      {"52210264fd4d1f5dea8ded94c61e9641309349b62f27fbffe807291f664e286bfbe6472103f4ec"
       "e6dfccfa37b211eb3d0af4d0c61dba9ef698622dc17eecdf764beeb005a652ae"},
      {"5221022ccabda84c30bad578b13c89eb3b9544ce149787e5b538175b1d1ba259cbb83321024d90"
       "2e1a2fc7a8755ab5b694c575fce742c48d9ff192e63df5193e4c7afe1f9c52ae"}}},
    {"wsh(multi(2,xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6s"
     "srdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U/2147483647'/0,xprv9vHkqa6EV4sPZH"
     "YqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fw"
     "qWpWkeS3v86pgKt/1/2/*,xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPP"
     "qjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/10/20/30/40/*'))",
     "wsh(multi(2,xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W"
     "6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB/2147483647'/0,xpub69H7F5d8KSRgmm"
     "dJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1"
     "D3tgFxHmwMkQTPH/1/2/*,xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhe"
     "PY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/10/20/30/40/*'))",
     {{"0020b92623201f3bb7c3771d45b2ad1d0351ea8fbf8cfe0a0e570264e1075fa1948f"},
      {"002036a08bbe4923af41cf4316817c93b8d37e2f635dd25cfff06bd50df6ae7ea203"},
      {"0020a96e7ab4607ca6b261bfe3245ffda9c746b28d3f59e83d34820ec0e2b36c139c"}}},
    {"tr(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1,pk(KzoAz5CanayRKex3fSL"
     "Q2BwJpN7U52gZvxMyk78nDMHuqrUxuSJy))",
     "tr(a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd,pk(669b8af"
     "cec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0))",
     {{"512017cf18db381d836d8923b1bdb246cfcd818da1a9f0e6e7907f187f0b2f937754"}}},
    {"tr(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1,multi_a(1,KzoAz5CanayR"
     "Kex3fSLQ2BwJpN7U52gZvxMyk78nDMHuqrUxuSJy))",
     "tr(a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd,multi_a(1,"
     "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0))",
     {{"5120eb5bd3894327d75093891cc3a62506df7d58ec137fcd104cdd285d67816074f3"}}},
};

static void check_scripts(const struct fx_descriptor *d, uint32_t position,
                          const char *const expected[FX_DESCRIPTOR_SCRIPTS_MAX])
{
    struct fx_buf scripts[FX_DESCRIPTOR_SCRIPTS_MAX];
    size_t n;
    FX_CHECK(fx_descriptor_scripts(d, position, scripts, &n));
    for (size_t i = 0; i < FX_DESCRIPTOR_SCRIPTS_MAX; i++) {
        FX_CHECK((i < n) == (expected[i] != NULL));
        if (i < n) {
            char *hex = fx_hex_dup(scripts[i].data, scripts[i].len);
            FX_CHECK_STR(hex, expected[i]);
            free(hex);
        }
        fx_buf_clear(&scripts[i]);
    }
}

FX_TEST(vectors_give_their_scripts)
{
    for (size_t v = 0; v < sizeof(vectors) / sizeof(vectors[0]); v++) {
        char error[FX_DESCRIPTOR_ERROR] = "";
        struct fx_descriptor *d = fx_descriptor_parse(bitcoin(), vectors[v].secret, false, error);
        FX_CHECK_STR(error, "");
        FX_CHECK(fx_descriptor_is_solvable(d));
        FX_CHECK(fx_descriptor_has_secrets(d));
        FX_CHECK(fx_descriptor_is_range(d) == (strchr(vectors[v].secret, '*') != NULL));
        for (uint32_t at = 0; at < 3 && vectors[v].scripts[at][0]; at++) {
            check_scripts(d, at, vectors[v].scripts[at]);
        }
        char *text = fx_descriptor_text(d);
        size_t n = strlen(vectors[v].public);
        FX_CHECK(strncmp(text, vectors[v].public, n) == 0 && text[n] == '#');
        fx_descriptor_destroy(d);
        /* The text is a descriptor itself, with a checksum that holds. */
        d = fx_descriptor_parse(bitcoin(), text, true, error);
        FX_CHECK_STR(error, "");
        FX_CHECK(!fx_descriptor_has_secrets(d));
        char *again = fx_descriptor_text(d);
        FX_CHECK_STR(again, text);
        free(text);
        free(again);
        fx_descriptor_destroy(d);
    }
}

FX_TEST(public_keys_derive_what_secrets_do)
{
    size_t compared = 0;
    for (size_t v = 0; v < sizeof(vectors) / sizeof(vectors[0]); v++) {
        char error[FX_DESCRIPTOR_ERROR] = "";
        struct fx_buf scripts[FX_DESCRIPTOR_SCRIPTS_MAX];
        size_t n;
        struct fx_descriptor *d = fx_descriptor_parse(bitcoin(), vectors[v].public, false, error);
        FX_CHECK_STR(error, "");
        if (!fx_descriptor_scripts(d, 0, scripts, &n)) {
            FX_CHECK(n == 0); /* a hardened step */
            FX_CHECK(strpbrk(vectors[v].public, "'h*") != NULL);
        } else {
            for (size_t i = 0; i < n; i++) {
                fx_buf_clear(&scripts[i]);
            }
            check_scripts(d, 0, vectors[v].scripts[0]);
            compared++;
        }
        fx_descriptor_destroy(d);
    }
    FX_CHECK(compared > 10);
}

#define KEY "03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd"

FX_TEST(what_is_none_says_why)
{
    static const struct {
        const char *text, *error;
    } wrong[] = {
        {"", "'' is not a valid descriptor function"},
        {"pk()", "pk(): No key provided"},
        {"pk(" KEY "00)", "pk(): Pubkey '" KEY "00' is invalid"},
        {"foo(" KEY ")", "'foo(" KEY ")' is not a valid descriptor function"},
        {"pkh(" KEY ")x", "'pkh(" KEY ")x' is not a valid descriptor function"},
        {"sh(" KEY ")", "A function is needed within P2SH"},
        {"wsh(" KEY ")", "A function is needed within P2WSH"},
        {"sh(combo(" KEY "))", "Can only have combo() at top level"},
        {"wsh(sh(pk(" KEY ")))", "Can only have sh() at top level"},
        {"wsh(wpkh(" KEY "))", "Can only have wpkh() at top level or inside sh()"},
        {"tr(" KEY ",pkh(" KEY "))", "Can only have pkh at top level, in sh(), wsh(), or in tr()"},
        {"tr(" KEY ",{pk(" KEY "))", "tr(): expected ',' after script expression"},
        {"multi_a(1," KEY ")", "Can only have multi_a/sortedmulti_a inside tr()"},
        {"multi(a," KEY ")", "Multi threshold 'a' is not valid"},
        {"multi(0," KEY ")", "Multisig threshold cannot be 0, must be at least 1"},
        {"multi(2," KEY ")",
         "Multisig threshold cannot be larger than the number of keys; threshold is 2 but only 1 "
         "keys specified"},
        {"multi(1)", "Cannot have 0 keys in multisig; must have between 1 and 20 keys, inclusive"},
        {"multi(1," KEY "," KEY "," KEY "," KEY ")",
         "Cannot have 4 pubkeys in bare multisig; only at most 3 pubkeys"},
        {"raw(0)", "Raw script is not hex"},
        {"addr(nothing)", "Address is not valid"},
        {"pk([aaaaaaaa" KEY ")", "pk(): key '[aaaaaaaa" KEY "' is not valid"},
        {"pk([aaaaaaa]" KEY ")",
         "pk(): Fingerprint is not 4 bytes (7 characters instead of 8 characters)"},
        {"pk([aaaaaagg]" KEY ")", "pk(): Fingerprint 'aaaaaagg' is not hex"},
        {"pk([aaaaaaaa]]" KEY ")", "pk(): Multiple ']' characters found for a single pubkey"},
        {"pk([aaaaaaaa/2147483648]" KEY ")", "pk(): Key path value 2147483648 is out of range"},
        {"pk([aaaaaaaa/1aa]" KEY ")", "pk(): Key path value '1aa' is not a valid uint32"},
        {"pk(" KEY ")#", "Expected 8 character checksum, not 0 characters"},
        {"pk(" KEY ")##", "Multiple '#' symbols"},
        {"pk(" KEY ")#00000000", NULL},
        {"pk(\xc3\xbc)", "Invalid characters in payload"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char error[FX_DESCRIPTOR_ERROR] = "";
        FX_CHECK(fx_descriptor_parse(bitcoin(), wrong[i].text, false, error) == NULL);
        if (wrong[i].error) {
            FX_CHECK_STR(error, wrong[i].error);
        }
        FX_CHECK(*error != 0);
    }
    char error[FX_DESCRIPTOR_ERROR] = "";
    FX_CHECK(fx_descriptor_parse(bitcoin(), "pk(" KEY ")", true, error) == NULL);
    FX_CHECK_STR(error, "Missing checksum");
}

FX_TEST(the_checksum_is_that_of_bip380)
{
    char out[FX_DESCRIPTOR_CHECKSUM + 1];
    FX_CHECK(fx_descriptor_checksum("raw(deadbeef)", 13, out));
    FX_CHECK_STR(out, "89f8spxm");
    FX_CHECK(!fx_descriptor_checksum("raw(\n)", 6, out));
}

FX_TEST(an_instance_names_the_origin_of_its_key)
{
    static const char *const forms[] = {"pk(", "pkh(", "wpkh(", "sh(wpkh("};
    char error[FX_DESCRIPTOR_ERROR] = "";
    struct fx_descriptor *d = fx_descriptor_parse(
        fx_params_get(FX_BTCREGTEST),
        "combo("
        "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhy"
        "swJ76uZPStJRJCTKvosUCJZL5B/1/1/*)",
        false, error);
    FX_CHECK_STR(error, "");
    char *text = fx_descriptor_instance(d, 0, 1);
    FX_CHECK_STR(text,
                 "pkh([0c5f9a1e/1/1/"
                 "0]03e1c5b6e650966971d7e71ef2674f80222752740fc1dfd63bbbd220d2da9bd0fb)#cxmct4w8");
    free(text);
    for (size_t i = 0; i < 4; i++) {
        text = fx_descriptor_instance(d, 7, i);
        FX_CHECK(strncmp(text, forms[i], strlen(forms[i])) == 0);
        free(text);
    }
    fx_descriptor_destroy(d);
    d = fx_descriptor_parse(
        fx_params_get(FX_BTCREGTEST),
        "raw(5120a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c)", false, error);
    text = fx_descriptor_instance(d, 0, 0);
    FX_CHECK(strncmp(text, "rawtr(a60869f0", 14) == 0);
    FX_CHECK(!fx_descriptor_is_solvable(d));
    free(text);
    fx_descriptor_destroy(d);
}
