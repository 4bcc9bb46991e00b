/*
 * The calls that take a path, for a library that has none (PORTLS_HOSTED=0): what such a
 * library leaves to the program. The test reads the file (on a board through the debugger's
 * channel) and hands its bytes over, so that the suites are the same files everywhere. What the
 * library says of "the certificate data" or "the private key data" is then said of the path.
 */
#ifndef SPEC_FILES_H
#define SPEC_FILES_H

#include "portls/portls.h"

#if !PORTLS_HOSTED
portls_status portls_load_certificate_chain(portls_context *context, const char *path,
                                            portls_error *error);
portls_status portls_load_private_key(portls_context *context, const char *path,
                                      portls_key_kind kind, portls_encoding encoding,
                                      portls_error *error);
portls_status portls_load_identity(portls_context *context, const char *chain, const char *key,
                                   portls_error *error);
portls_status portls_load_verify_root_certificates(portls_context *context, const char *path,
                                                   portls_error *error);
portls_status portls_load_suggested_certificate_authorities(portls_context *context,
                                                            const char *path, portls_error *error);
#endif

#endif
