
/* What stands behind user_settings.h where RSA is wanted as well: 2048 and 3072 bits, with PSS. */
#undef NO_RSA
#define WC_RSA_PSS
#define WC_RSA_BLINDING
#define WOLFSSL_HAVE_SP_RSA
