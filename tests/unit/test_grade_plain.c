/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, units, money, words, letters that choose, dates and times: which spellings are one
 * answer and which are not; each row both ways. */
#include "tests/unit/graderows.h"

/* clang-format off */
static const answers same[] = {
    {"1 000", "1000"},
    {"1 000 000", "1000000"},
    {"10\\,000", "10000"},
    {"10\\ 000", "10000"},
    {"1{,}000{,}000", "1000000"},
    {"1,234.5", "1234.5"},
    {"12,345,678", "12345678"},
    {"50\\%", "1/2"},
    {"50 percent", "50%"},
    {"12.5\\%", "0.125"},
    {"12.5\\%", "12.5"},
    {"\\$5.00", "5"},
    {"5 dollars", "5"},
    {"USD 5", "5"},
    {"€5", "5"},
    {"5 €", "5"},
    {"£3.20", "3.2"},
    {"30^\\circ", "30 degrees"},
    {"30°", "30"},
    {"30", "30 deg"},
    {"2\\frac{1}{2}", "2.5"},
    {"-2\\frac{1}{2}", "-5/2"},
    {"2 1/2", "5/2"},
    {"2 \\frac12", "5/2"},
    {"6.02\\times10^{23}", "6.02e23"},
    {"6.02 x 10^23", "6.02*10^{23}"},
    {"6.02\\cdot 10^{23}", "6.02 × 10^23"},
    {"½", "0.5"},
    {"3⁄4", "0.75"},
    {"⅓", "1/3"},
    {"−3", "-3"},
    {"x=3", "3"},
    {"\\text{Yes}", "yes"},
    {"an ellipse", "ellipse"},
    {"\\text{a circle}", "Circle"},
    {"B", "B) 12"},
    {"B", "\\text{B}"},
    {"B", "Option B"},
    {"True", "true"},
    {"twelve", "12"},
    {"March 5, 2020", "5 March 2020"},
    {"March 5, 2020", "2020-03-05"},
    {"March 5th, 2020", "Mar 5, 2020"},
    {"March 5", "5 March"},
    {"3:45 PM", "15:45"},
    {"3:45 \\text{ p.m.}", "3:45 pm"},
    {"3:45", "3:45 PM"},
    {"9:00 a.m.", "9 am"},
    {"1010_2", "1010_{2}"},
    {"52_8", "52"},
    {"0.\\overline{3}", "1/3"},
    {"0.\\dot{3}", "1/3"},
    {"0.(3)", "1/3"},
    {"5 \\text{ m/s}", "5"},
    {"5 m/s", "5"},
    {"5 m/s^2", "5\\text{ m/s}^2"},
    {"10 \\mathrm{~km}", "10"},
    {"10 \\mathrm{km/h}", "10"},
    {"5\\ \\text{cm}^2", "5"},
    {"25 mph", "25"},
    {"3 hours", "3"},
    {"120 square feet", "120"},
    {"\\frac{1}{3}\\text{ of a mile}", "1/3"},
    {"\\frac{5}{-3}", "-\\frac53"},
    {"-\\frac{-3}{4}", "0.75"},
    {"0.25", "25\\%"},
    {"1e3", "1000"},
    {"+5", "5"},
    {"5.", "5"},
    {"\\$1,000", "1000"},
    {"\\$ 12.50", "12.5"},
    {"12,\\!000", "12000"},
    {"0", "0.0"},
    {"-0", "0"},
    {"7.0", "7"},
    {"0.50", "1/2"},
    {"\\dfrac{7}{2}", "3.5"},
    {"\\boxed{5}", "5"},
    {"$5$", "5"},
    {"\\(5\\)", "5"},
    {"90\\text{ degrees}", "90^\\circ"},
    {"12 \\frac{3}{4}", "12.75"},
    {"-\\frac{1}{2}", "-0.5"},
    {"2.0 \\times 10^3", "2000"},
    {"2.0\\times 10^{-3}", "0.002"},
    {"4 \\text{ inches}", "4 in"},
    {"\\text{Monday}", "monday."},
    {"1.0e-5", "0.00001"},
    {"\\frac1{3}", "1/3"},
    {"\\frac{1}3", "1/3"},
    {"1\\dfrac13", "4/3"},
    {"28 percent", "28\\%"},
    {"28", "28 percent"},
    {"0.28", "28%"},
    {"0.0833333333", "1/12"},
    {"0.083333333", "\\frac{1}{12}"},
    {"\\frac{9}{2} \\, \\mathrm{cm}", "4.5"},
    {"\\frac{9}{2}\\mathrm{cm}", "4.5"},
    {"10\\text{ units}", "10"},
    {"10 units", "10"},
    {"10\\%", "10"},
    {"0.5\\%", "0.5"},
    {"0.5\\%", "0.005"},
    {"10^\\circ C", "10"},
    {"10^\\circ\\text{C}", "10"},
    {"72^{\\circ}F", "72"},
    {"100 °C", "100"},
    {"\\frac{3}{4} cup", "3/4"},
    {"3.5 \\text{ hours}", "7/2"},
    {"5 \\mathrm{m}", "5"},
    {"100 kg", "100"},
    {"100kg", "100"},
    {"100 km/h", "100"},
    {"12cm", "12"},
    {"12 cm^3", "12"},
    {"4\\text{cm}", "4"},
    {"\\text{Answer: } 5", "5"},
    {"5 \\text{ (five)}", "5"},
    {"x = 5 \\text{ meters}", "5"},
    {"\\text{approximately } 5", "5"},
    {"\\approx 5.2", "5.2"},
    {"\\text{about } 5", "5"},
    {"x \\approx 5.2", "5.2"},
    {"\\text{No}", "no"},
    {"\\text{YES}", "Yes"},
    {"\\textbf{B}", "B"},
    {"B. 12", "B"},
    {"\\boxed{B}", "B"},
    {"\\$32{,}348", "32348"},
    {"32,\\!348", "32348"},
    {"32, 348", "32348"},
    {"\\text{\\$}12.50", "12.50"},
    {"\\$.50", "0.5"},
    {"12.50 \\text{ dollars}", "12.5"},
    {"50 cents", "50"},
    {"£5", "5"},
    {"5\\text{¢}", "5"},
    {"$12$", "12"},
    {"12$", "12"},
    {"\\displaystyle\\frac12", "0.5"},
    {"\\frac {1} {2}", "0.5"},
    {"1 / 2", "0.5"},
    {"\\bar{z}", "\\overline{z}"},
    {"1001_2", "1001_{2}"},
    {"11_{10}", "11"},
    {"P(X>3)=0.5", "1/2"},
    {"\\angle A = 30^\\circ", "30"},
    {"-\\frac{1}{3}", "\\frac{-1}{3}"},
    {"\\frac{-1}{3}", "\\frac{1}{-3}"},
    {"\\frac{1}{3}", "0.3333333"},
    {"66.666667", "\\frac{200}{3}"},
    {"66\\frac{2}{3}\\%", "66\\frac23"},
    {"33\\frac13\\%", "1/3"},
    {"1.23e-4", "0.000123"},
    {"1.23 \\times 10^{-4}", "0.000123"},
    {"1 million", "1000000"},
    {"2.5 million", "2500000"},
    {"\\text{Thursday}", "thursday"},
    {"\\text{the Thursday}", "Thursday"},
    {"June 3", "june 3rd"},
    {"10:30", "10:30 a.m."},
    {"12:00 PM", "12 noon"},
    {"noon", "12:00 PM"},
    {"12 \\mathrm{~cm}", "12"},
    {"12\\ \\mathrm{cm}^{2}", "12"},
    {"30 \\mathrm{~m} / \\mathrm{s}", "30"},
    {"v=30 \\mathrm{~m} / \\mathrm{s}", "30"},
    {"\\frac{2}{3} \\approx 0.667", "2/3"},
    {"x \\approx 1.732", "1.732"},
    {"\\underline{5}", "5"},
    {"\\text {5 cm}", "5"},
    {"5 \\text {cm}", "5"},
    {"\\emph{5}", "5"},
    {"\\mathbf{A}", "A"},
};

static const answers other[] = {
    {"1000", "1 001"},
    {"50\\%", "0.05"},
    {"50\\%", "5"},
    {"30^\\circ", "60^\\circ"},
    {"2\\frac12", "1"},
    {"3:45 PM", "3:45 AM"},
    {"March 5, 2020", "March 6, 2020"},
    {"March 5, 2020", "May 3, 2020"},
    {"2020-03-05", "2020-05-03"},
    {"A", "B"},
    {"yes", "no"},
    {"1/3", "0.33"},
    {"2", "2.001"},
    {"100", "1e3"},
    {"twelve", "13"},
    {"12", "112"},
    {"12", "-12"},
    {"1.5", "15"},
    {"1,000", "1"},
    {"1010_2", "1011_2"},
    {"36", "3600"},
    {"17", "71"},
    {"1 2", "12"},
    {"1 2", "2 1"},
    {"Paris", "London"},
    {"0.5", "50"},
    {"75", "0.75"},
    {"12 34", "1234"},
    {"\\text{east}", "\\text{west}"},
    {"28%", "0.0028"},
    {"5 km", "6 km"},
    {"10^\\circ C", "11"},
    {"10:30 am", "10:30 pm"},
    {"1 million", "1000"},
    {"\\gcd(12,18)", "12"},
    {"100", "100.5"},
    {"2.5 million", "2500"},
    {"32, 348", "32"},
    {"-1", "1"},
    {"\\frac{1}{2}", "2"},
    {"B", "D"},
};

/* a answers b; b does not answer a. */
static const answers one_way[] = {
    {"1/3", "0.333"},
    {"\\frac{50}{3}", "16.67"},
    {"\\frac{5}{18}", "27.78%"},
    {"\\sqrt{2}", "1.41"},
    {"\\pi", "3.14"},
    {"\\pi", "3.142"},
    {"\\pi", "3.1416"},
    {"\\sqrt2", "1.414"},
    {"1000.99m²", "1000.99"},
    {"1,000.99m^2", "1000.99"},
    {"20 m^2", "20"},
    {"20 m", "20"},
    {"5 m", "5"},
    {"5\\,m", "5"},
};
/* clang-format on */

static void one_answer(void **state)
{
    (void)state;
    judged(same, sizeof same / sizeof *same, 1);
}

static void two_answers(void **state)
{
    (void)state;
    judged(other, sizeof other / sizeof *other, 0);
}

/* The unit of a prediction may be one letter, and a decimal reference may be a rounding. */
static void one_way_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof one_way / sizeof *one_way; i++) {
        const char *a = one_way[i].a, *b = one_way[i].b;
        assert_true(allot_answers_equal(b, strlen(b), a, strlen(a), NULL));
        assert_false(allot_answers_equal(a, strlen(a), b, strlen(b), NULL));
    }
}

/* Words of a policy, and pairs that it makes equal and that the default does not, or the reverse.
 */
static void policies(void **state)
{
    (void)state;
    static const struct {
        allot_grade_options o;
        const char *a, *b;
        int want, by_default;
    } rows[] = {
        {{.policies.percent = ALLOT_PERCENT_LENIENT}, "0.75", "75", 1, 0},
        {{.policies.percent = ALLOT_PERCENT_LENIENT}, "0.75", "7.5", 0, 0},
        {{.policies.percent = ALLOT_PERCENT_VALUE}, "50", "50\\%", 0, 1},
        {{.policies.percent = ALLOT_PERCENT_VALUE}, "1/2", "50\\%", 1, 1},
        {{.policies.order = ALLOT_ORDER_STRICT}, "1, 2, 3", "3, 1, 2", 0, 1},
        {{.policies.order = ALLOT_ORDER_STRICT}, "(1, 2)", "(2, 1)", 0, 0},
        {{.policies.order = ALLOT_ORDER_STRICT}, "(1,2), (3,4)", "(3,4), (1,2)", 0, 1},
        {{.policies.order = ALLOT_ORDER_STRICT}, "\\{1,2\\}", "\\{2,1\\}", 1, 1},
        {{.policies.decimals = ALLOT_DECIMALS_ROUNDED}, "\\frac{100}{3}", "33.3", 1, 0},
        {{.policies.decimals = ALLOT_DECIMALS_ROUNDED}, "33.3", "\\frac{100}{3}", 1, 0},
        {{.policies.decimals = ALLOT_DECIMALS_ROUNDED}, "\\frac{100}{3}", "33.4", 0, 0},
        {{.policies.decimals = ALLOT_DECIMALS_ROUNDED}, "\\pi", "3.14", 1, 0},
        {{.policies.decimals = ALLOT_DECIMALS_EXACT}, "1/3", "0.33333333", 0, 1},
        {{.policies.units = ALLOT_UNITS_KEEP}, "5", "5 cm", 0, 1},
        {{.policies.units = ALLOT_UNITS_KEEP}, "5\\text{ cm}", "5 cm", 1, 1},
        {{.policies.units = ALLOT_UNITS_KEEP}, "5 meters", "5 meter", 1, 1},
        {{.policies.units = ALLOT_UNITS_KEEP}, "5 apples", "5 pears", 0, 1},
        {{.policies.units = ALLOT_UNITS_DROP}, "5 km", "5 cm", 0, 0},
        {{.last_number = 1}, "1000.99", "no, it is not 10 but 1,000.99 in all", 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *a = rows[i].a, *b = rows[i].b;
        int judged_so = allot_answers_equal(a, strlen(a), b, strlen(b), &rows[i].o),
            plainly = allot_answers_equal(a, strlen(a), b, strlen(b), NULL);
        if (judged_so != rows[i].want || plainly != rows[i].by_default)
            fail_msg("'%s' and '%s': %d, by default %d", a, b, judged_so, plainly);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_answer), cmocka_unit_test(two_answers),
                                       cmocka_unit_test(one_way_only), cmocka_unit_test(policies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
