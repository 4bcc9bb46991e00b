/* The table of what is negotiated: see configuration_table.h. */
#include "configuration_table.h"

/* clang-format off */
#define ALL_SCHEMES                                                                                \
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0809, 0x0805, 0x080a, 0x0806, 0x080b,        \
    0x0401, 0x0501, 0x0601

const struct offered_row offered_table[OFFERED_COUNT] = {
    {"versions", {{0x0304, 0x0303}, 2}},
    {"cipher suites", {{0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc02b, 0xc02f}, 9}},
    {"groups", {{29, 23, 24, 25}, 4}},
    {"signature schemes", {{ALL_SCHEMES}, 14}},
};

const struct offered_exception offered_exceptions[] = {
    {{"wolfSSL", "OpenSSL layer"}, OFFERED_SCHEMES, {{0x0603, 0x0503, 0x0403, 0x0807, 0x0806, 0x080b,
        0x0805, 0x080a, 0x0804, 0x0809, 0x0601, 0x0501, 0x0401, 0x0301}, 14}},
    {{"libretls", ""}, OFFERED_SCHEMES, {{0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b,
        0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602}, 20}},
};
const size_t offered_exceptions_size = sizeof offered_exceptions / sizeof offered_exceptions[0];

#define RSA   "server-rsa2048"
#define ECDSA "server-p256"

const struct choice_row choice_table[] = {
    /* The server's order goes before the client's. */
    {"AES-128 first", 0x0304, RSA, {0x1301, 0x1303, 0x1302}, {0}, {0}, 0x1302, 0, 0},
    {"ChaCha20 before AES-128", 0x0304, ECDSA, {0x1301, 0x1303}, {0}, {0}, 0x1303, 0, 0},
    {"ChaCha20 first", 0x0304, ECDSA, {0x1303, 0x1302}, {0}, {0}, 0x1302, 0, 0},
    {"AES-128 alone", 0x0304, RSA, {0x1301}, {0}, {0}, 0x1301, 0, 0},
    {"AES-128 first", 0x0303, RSA, {0xc02f, 0xcca8, 0xc030}, {0}, {0}, 0xc030, 0, 0},
    {"ChaCha20 before AES-128", 0x0303, RSA, {0xc02f, 0xcca8}, {0}, {0}, 0xcca8, 0, 0},
    {"AES-128 first, for an EC key", 0x0303, ECDSA, {0xc02b, 0xcca9, 0xc02c}, {0}, {0}, 0xc02c, 0, 0},
    {"ChaCha20 before AES-128, for an EC key", 0x0303, ECDSA, {0xc02b, 0xcca9}, {0}, {0}, 0xcca9, 0, 0},
    {"weak suites in front", 0x0303, RSA, {0x002f, 0x009d, 0xc014, 0x009f, 0xc02f}, {0}, {0}, 0xc02f, 0, 0},

    /* Suites that are refused. */
    {"CCM and CCM8", 0x0304, RSA, {0x1304, 0x1305}, {0}, {0}, 0, 0, 0},
    {"static RSA", 0x0303, RSA, {0x009c, 0x009d, 0x002f, 0x0035, 0x003c, 0x003d, 0x000a}, {0}, {0}, 0, 0, 0},
    {"ECDHE with CBC", 0x0303, RSA, {0xc013, 0xc014, 0xc027, 0xc028, 0xc012}, {0}, {0}, 0, 0, 0},
    {"ECDHE with CBC, for an EC key", 0x0303, ECDSA, {0xc009, 0xc00a, 0xc023, 0xc024, 0xc008}, {0}, {0}, 0, 0, 0},
    {"DHE", 0x0303, RSA, {0x009e, 0x009f, 0xccaa, 0x0033, 0x0039, 0x0067, 0x006b}, {0}, {0}, 0, 0, 0},
    {"CCM and CCM8, for an EC key", 0x0303, ECDSA, {0xc0ac, 0xc0ad, 0xc0ae, 0xc0af}, {0}, {0}, 0, 0, 0},
    {"CCM, static RSA and DHE", 0x0303, RSA, {0xc09c, 0xc09d, 0xc0a0, 0xc0a1, 0xc09e, 0xc09f, 0xc0a2, 0xc0a3}, {0}, {0}, 0, 0, 0},
    {"ARIA", 0x0303, RSA, {0xc050, 0xc051, 0xc060, 0xc061, 0xc052, 0xc053}, {0}, {0}, 0, 0, 0},
    {"ARIA, for an EC key", 0x0303, ECDSA, {0xc05c, 0xc05d, 0xc048, 0xc049}, {0}, {0}, 0, 0, 0},
    {"Camellia", 0x0303, RSA, {0xc08a, 0xc08b, 0xc076, 0xc077, 0x0041, 0x0084, 0x00ba, 0x00c0, 0xc07a, 0xc07b}, {0}, {0}, 0, 0, 0},
    {"Camellia, for an EC key", 0x0303, ECDSA, {0xc086, 0xc087, 0xc072, 0xc073}, {0}, {0}, 0, 0, 0},
    {"no encryption", 0x0303, RSA, {0xc010, 0x0001, 0x0002, 0x003b}, {0}, {0}, 0, 0, 0},
    {"no encryption, for an EC key", 0x0303, ECDSA, {0xc006}, {0}, {0}, 0, 0, 0},
    {"no authentication", 0x0303, RSA, {0xc018, 0xc019, 0xc015, 0x00a6, 0x00a7, 0x006c, 0x0034}, {0}, {0}, 0, 0, 0},
    {"RC4", 0x0303, RSA, {0xc011, 0x0005, 0x0004}, {0}, {0}, 0, 0, 0},
    {"PSK", 0x0303, RSA, {0x00a8, 0x00a9, 0xccab, 0xccac, 0xd001, 0xd002}, {0}, {0}, 0, 0, 0},

    /* Groups. */
    {"all groups, the strongest first", 0x0304, RSA, {0x1301}, {25, 24, 23, 29}, {0}, 0x1301, 29, 0},
    {"the curves of NIST, the strongest first", 0x0304, RSA, {0x1301}, {25, 24, 23}, {0}, 0x1301, 23, 0},
    {"P-521 and P-384", 0x0304, RSA, {0x1301}, {25, 24}, {0}, 0x1301, 24, 0},
    {"P-521 alone", 0x0304, RSA, {0x1301}, {25}, {0}, 0x1301, 25, 0},
    {"X25519 alone", 0x0304, RSA, {0x1301}, {29}, {0}, 0x1301, 29, 0},
    {"X448", 0x0304, RSA, {0x1301}, {30}, {0}, 0, 0, 0},
    {"secp256k1", 0x0304, RSA, {0x1301}, {22}, {0}, 0, 0, 0},
    {"P-224 and P-192", 0x0304, RSA, {0x1301}, {21, 19}, {0}, 0, 0, 0},
    {"brainpool", 0x0304, RSA, {0x1301}, {26, 27, 28, 31, 32, 33}, {0}, 0, 0, 0},
    {"finite fields", 0x0304, RSA, {0x1301}, {256, 257, 258, 259, 260}, {0}, 0, 0, 0},
    {"weak groups in front", 0x0304, RSA, {0x1301}, {22, 21, 26, 256, 30, 23}, {0}, 0x1301, 23, 0},
    {"all groups, the strongest first", 0x0303, RSA, {0xc02f}, {25, 24, 23, 29}, {0}, 0xc02f, 29, 0},
    {"P-521 and P-384", 0x0303, RSA, {0xc02f}, {25, 24}, {0}, 0xc02f, 24, 0},
    {"P-256 alone", 0x0303, RSA, {0xc02f}, {23}, {0}, 0xc02f, 23, 0},
    {"P-521 alone", 0x0303, RSA, {0xc02f}, {25}, {0}, 0xc02f, 25, 0},
    {"X25519 alone", 0x0303, RSA, {0xc02f}, {29}, {0}, 0xc02f, 29, 0},
    {"X448", 0x0303, RSA, {0xc02f}, {30}, {0}, 0, 0, 0},
    {"secp256k1", 0x0303, RSA, {0xc02f}, {22}, {0}, 0, 0, 0},
    {"P-224 and P-192", 0x0303, RSA, {0xc02f}, {21, 19}, {0}, 0, 0, 0},
    {"brainpool", 0x0303, RSA, {0xc02f}, {26, 27, 28}, {0}, 0, 0, 0},
    {"weak groups in front", 0x0303, RSA, {0xc02f}, {22, 21, 26, 256, 30, 23}, {0}, 0xc02f, 23, 0},

    /* Signature schemes, which TLS 1.3 has in what is encrypted. */
    {"SHA-1 and MD5", 0x0303, RSA, {0xc02f}, {0}, {0x0201, 0x0101}, 0, 0, 0},
    {"SHA-1, for an EC key", 0x0303, ECDSA, {0xc02b}, {0}, {0x0203}, 0, 0, 0},
    {"SHA-224", 0x0303, RSA, {0xc02f}, {0}, {0x0301}, 0, 0, 0},
    {"DSA", 0x0303, RSA, {0xc02f}, {0}, {0x0202, 0x0402, 0x0502, 0x0602}, 0, 0, 0},
    {"SHA-1 in front", 0x0303, RSA, {0xc02f}, {0}, {0x0201, 0x0301, 0x0401}, 0xc02f, 0, 0x0401},
    {"SHA-1 in front, for an EC key", 0x0303, ECDSA, {0xc02b}, {0}, {0x0203, 0x0403}, 0xc02b, 0, 0x0403},
    {"PKCS #1 before PSS", 0x0303, RSA, {0xc02f}, {0}, {0x0401, 0x0804}, 0xc02f, 0, 0x0804},
    {"SHA-1", 0x0304, RSA, {0x1301}, {29}, {0x0201, 0x0203}, 0, 0, 0},
    {"PKCS #1", 0x0304, RSA, {0x1301}, {29}, {0x0401, 0x0501, 0x0601}, 0, 0, 0},
};
/* clang-format on */
const size_t choice_table_size = sizeof choice_table / sizeof choice_table[0];

const struct choice_exception choice_exceptions[] = {
    {{"libretls", ""}, "SHA-224", 0x0303, 0xc02f, 0},
    {{"wolfSSL", ""}, "all groups, the strongest first", 0x0303, 0xc02f, 23},
};
const size_t choice_exceptions_size = sizeof choice_exceptions / sizeof choice_exceptions[0];

static const struct named_code names[] = {
    {OFFERED_VERSIONS, 0x0304, "TLS 1.3"},
    {OFFERED_VERSIONS, 0x0303, "TLS 1.2"},
    {OFFERED_SUITES, 0x1302, "TLS_AES_256_GCM_SHA384"},
    {OFFERED_SUITES, 0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
    {OFFERED_SUITES, 0x1301, "TLS_AES_128_GCM_SHA256"},
    {OFFERED_SUITES, 0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {OFFERED_SUITES, 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {OFFERED_SUITES, 0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {OFFERED_SUITES, 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {OFFERED_SUITES, 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {OFFERED_SUITES, 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {OFFERED_GROUPS, HYBRID_GROUP, "X25519MLKEM768"},
    {OFFERED_GROUPS, 29, "x25519"},
    {OFFERED_GROUPS, 23, "secp256r1"},
    {OFFERED_GROUPS, 30, "x448"},
    {OFFERED_GROUPS, 24, "secp384r1"},
    {OFFERED_GROUPS, 25, "secp521r1"},
    {OFFERED_GROUPS, 256, "ffdhe2048"},
    {OFFERED_GROUPS, 257, "ffdhe3072"},
    {OFFERED_GROUPS, 258, "ffdhe4096"},
    {OFFERED_GROUPS, 259, "ffdhe6144"},
    {OFFERED_GROUPS, 260, "ffdhe8192"},
    {OFFERED_SCHEMES, 0x0403, "ecdsa_secp256r1_sha256"},
    {OFFERED_SCHEMES, 0x0503, "ecdsa_secp384r1_sha384"},
    {OFFERED_SCHEMES, 0x0603, "ecdsa_secp521r1_sha512"},
    {OFFERED_SCHEMES, 0x0807, "ed25519"},
    {OFFERED_SCHEMES, 0x0808, "ed448"},
    {OFFERED_SCHEMES, 0x0804, "rsa_pss_rsae_sha256"},
    {OFFERED_SCHEMES, 0x0809, "rsa_pss_pss_sha256"},
    {OFFERED_SCHEMES, 0x0805, "rsa_pss_rsae_sha384"},
    {OFFERED_SCHEMES, 0x080a, "rsa_pss_pss_sha384"},
    {OFFERED_SCHEMES, 0x0806, "rsa_pss_rsae_sha512"},
    {OFFERED_SCHEMES, 0x080b, "rsa_pss_pss_sha512"},
    {OFFERED_SCHEMES, 0x0401, "rsa_pkcs1_sha256"},
    {OFFERED_SCHEMES, 0x0501, "rsa_pkcs1_sha384"},
    {OFFERED_SCHEMES, 0x0601, "rsa_pkcs1_sha512"},
    {OFFERED_SCHEMES, 0x0301, "rsa_pkcs1_sha224"},
    {OFFERED_SCHEMES, 0x0303, "ecdsa_sha224"},
    {OFFERED_SCHEMES, 0x0302, "dsa_sha224"},
    {OFFERED_SCHEMES, 0x0402, "dsa_sha256"},
    {OFFERED_SCHEMES, 0x0502, "dsa_sha384"},
    {OFFERED_SCHEMES, 0x0602, "dsa_sha512"},
};

const char *code_name(enum offered list, uint16_t code) {
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].list == list && names[i].code == code) {
            return names[i].name;
        }
    }
    return "";
}

bool code_at(size_t place, struct named_code *named) {
    if (place >= sizeof names / sizeof names[0]) {
        return false;
    }
    *named = names[place];
    return true;
}
