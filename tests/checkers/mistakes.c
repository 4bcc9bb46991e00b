/* Mistakes on purpose, for sanitizers and valgrind to find; built only together with one of them.
 */
#include <stdlib.h>

#include <criterion/criterion.h>

/* Its value is not known to the compiler, so that nothing below is optimised away. */
static volatile size_t ten = 10;

Test(mistakes, leak) {
    char *volatile lost = malloc(ten);
    cr_assert_not_null(lost);
    lost = NULL;
    cr_assert_null(lost);
}

Test(mistakes, overrun) {
    char *room = malloc(ten);
    cr_assert_not_null(room);
    volatile char *behind = room + ten;
    *behind = 1;
    free(room);
}

Test(mistakes, none) {
    char *room = malloc(ten);
    cr_assert_not_null(room);
    room[ten - 1] = 1;
    free(room);
}
