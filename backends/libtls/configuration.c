/* The suites and groups of backends/configuration.h, in a tls_config. <tls.h> has no call for
   TLS 1.3 suites, signature schemes and a client's groups. */
#include "backends/configuration.h"
#include "backends/libtls/libtls.h"

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

#define SUITE(cipher, kind, name) ":" name
#define GROUP(group, name)        "," name

/* Each has a separator in front. The security level is one that openssl.cnf may have lowered. */
static const char suites[] = BACKEND_TLS12_SUITES(SUITE);
static const char level_suites[] =
    BACKEND_TLS12_SUITES(SUITE) ":@SECLEVEL=" TEXT(BACKEND_SECURITY_LEVEL);
static const char groups[] = BACKEND_GROUPS(GROUP);
static const char hybrid_groups[] = BACKEND_HYBRID_GROUP BACKEND_GROUPS(GROUP);

/* A LibreSSL before 3.6 does not know the level, and no library but LibreSSL 4.3 the group. */
bool configuration_install(struct tls_config *config) {
    tls_config_prefer_ciphers_server(config);
    return (tls_config_set_ciphers(config, level_suites + 1) == 0 ||
            tls_config_set_ciphers(config, suites + 1) == 0) &&
           (tls_config_set_ecdhecurves(config, hybrid_groups) == 0 ||
            tls_config_set_ecdhecurves(config, groups + 1) == 0);
}
