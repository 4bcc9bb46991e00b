/* In Criterion these are apart; here criterion.h has them. */
#include <criterion/criterion.h>
