/* The extensions of a certificate. Part of the parser: see certificate.h. */
#ifndef CORE_X509_EXTENSIONS_H
#define CORE_X509_EXTENSIONS_H

#include "core/x509/certificate.h"

/* Parses the content of the Extensions field into the certificate's members. Returns false if one
   is malformed or occurs twice, or if there are none or more than 64. */
bool extensions_parse(struct backend_blob list, struct certificate *certificate);

#endif
