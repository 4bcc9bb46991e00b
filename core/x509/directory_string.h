/* The strings in distinguished names, each type with its encoding of characters. */
#ifndef CORE_X509_DIRECTORY_STRING_H
#define CORE_X509_DIRECTORY_STRING_H

#include "core/x509/der.h"

/* Returns whether the tag is that of a string whose characters are compared: UTF8String,
   PrintableString, TeletexString (T61), IA5String, VisibleString, UniversalString or BMPString. */
bool directory_string_has_tag(uint8_t tag);

/*
 * Takes the next character of a string of that type, and sets `*character` to its code point.
 * Returns false at the end, and before bytes that encode no character, which it leaves in `text`.
 * Reads types of one byte per character as Latin-1, as OpenSSL does.
 */
bool directory_string_next(uint8_t tag, struct backend_blob *text, uint32_t *character);

#endif
