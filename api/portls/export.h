/* Export and calling attributes of the public headers. Programs do not use these names. */
#ifndef PORTLS_EXPORT_H
#define PORTLS_EXPORT_H

/* PORTLS_STATIC: 1 for users of the static library (the CMake package and portls.pc set it). */
#ifndef PORTLS_STATIC
#define PORTLS_STATIC 0
#endif
/* PORTLS_BUILDING: 1 while the library itself is compiled. */
#ifndef PORTLS_BUILDING
#define PORTLS_BUILDING 0
#endif

#if defined(_WIN32) && !PORTLS_STATIC
#if PORTLS_BUILDING
#define PORTLS_API __declspec(dllexport)
#else
#define PORTLS_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define PORTLS_API __attribute__((visibility("default")))
#else
#define PORTLS_API
#endif

#if defined(__GNUC__)
#define PORTLS_MUST_USE __attribute__((warn_unused_result))
#else
#define PORTLS_MUST_USE
#endif

#ifdef __cplusplus
#define PORTLS_BEGIN_DECLS extern "C" {
#define PORTLS_END_DECLS   }
#else
#define PORTLS_BEGIN_DECLS
#define PORTLS_END_DECLS
#endif

#endif
