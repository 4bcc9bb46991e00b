/* The system's trusted roots. */
#ifndef CORE_X509_TRUST_H
#define CORE_X509_TRUST_H

#include "core/x509/credentials.h"

/*
 * Loads the system's roots into `list`, which is empty before: from the file or directory that
 * SSL_CERT_FILE or SSL_CERT_DIR names, else from the system's store or the first bundle of
 * os_root_bundles that exists. Fails for a malformed certificate in a bundle; skips files without
 * certificates in a directory. Returns PORTLS_OK with at least one root; PORTLS_FILE naming the
 * paths; PORTLS_BAD_CERTIFICATE; PORTLS_NO_MEMORY.
 */
portls_status trust_load_system(struct certificate_list *list, portls_error *error);

#endif
