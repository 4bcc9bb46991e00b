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

/* A LibreSSL before 3.6 does not know the level. Leaves out the hybrid group: a server of LibreSSL
   4.3 that has it fails every handshake of TLS 1.2. */
bool configuration_install(struct tls_config *config) {
    tls_config_prefer_ciphers_server(config);
    return (tls_config_set_ciphers(config, level_suites + 1) == 0 ||
            tls_config_set_ciphers(config, suites + 1) == 0) &&
           tls_config_set_ecdhecurves(config, groups + 1) == 0;
}
