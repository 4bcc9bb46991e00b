
/* What stands behind user_settings.h for the test certificates: keys of every kind. A board that
   talks to servers of the web wants RSA too. */
#undef NO_RSA
#define WC_RSA_PSS
#define WC_RSA_BLINDING
#define WOLFSSL_HAVE_SP_RSA
#define HAVE_ECC384
#define WOLFSSL_SP_384
#define WOLFSSL_SHA512
#define WOLFSSL_SHA384
#define HAVE_CURVE25519
#define CURVE25519_SMALL
#define HAVE_ED25519
#define ED25519_SMALL
