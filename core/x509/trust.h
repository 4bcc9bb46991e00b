/* The system's trusted roots. */
#ifndef CORE_X509_TRUST_H
#define CORE_X509_TRUST_H

#include "core/x509/credentials.h"

/*
 * Loads them into `list`, which begins empty: from the file or directory that SSL_CERT_FILE or
 * SSL_CERT_DIR names, else from the first bundle of os_root_bundles that exists. A certificate in a
 * bundle that cannot be decoded fails it; in a directory, files without certificates are passed
 * over. PORTLS_OK with at least one; PORTLS_FILE naming what was looked at; PORTLS_BAD_CERTIFICATE;
 * PORTLS_NO_MEMORY.
 */
portls_status trust_load_system(struct certificate_list *list, portls_error *error);

#endif
