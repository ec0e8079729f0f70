#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# usage: run.pl [--jobs N] TEST...   runs cmocka programs and .bats files through one TAP harness and
# closes with 'N passed, N failed[, N skipped]'; exit status 1 if anything failed or nothing ran.
use strict;
use warnings;
use TAP::Harness;

my $jobs = 1;
if (@ARGV && $ARGV[0] eq '--jobs') { shift; $jobs = shift; }
die "run.pl: no tests\n" unless @ARGV;
$ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';
# Tests ask for impossible sizes on purpose: the allocator says no instead of ending the program.
$ENV{$_} = join ':', 'allocator_may_return_null=1', $ENV{$_} // () for qw(ASAN_OPTIONS TSAN_OPTIONS);
my $harness = TAP::Harness->new({
    jobs => $jobs, merge => 0, verbosity => -1, failures => 1, errors => 1,
    exec => sub {
        my ($h, $file) = @_;
        return ['bats', '--tap', $file] if $file =~ /\.bats$/;
        # cmocka writes "not ok # SKIP" for a skipped test, which TAP reads as a failure
        my $mend = q{set -o pipefail; "$0" | sed 's/^not ok \([0-9]* # SKIP\)/ok \1/'};
        return ['bash', '-c', $mend, $file];
    },
});
my $started = time;
my $r = $harness->runtests(@ARGV);
my $skipped = $r->skipped;
# A program that dies or plans wrongly fails even if each line that it printed was ok.
my $failed = $r->failed;
for my $name ($r->descriptions) {
    my ($parser) = $r->parsers($name);
    next unless $parser;
    my $bad = $parser->exit || $parser->wait || ($parser->parse_errors ? 1 : 0);
    $failed++ if $bad && !$parser->failed;
    print "not ok: $name (exit ", $parser->exit, ")\n" if $bad;
}
my $passed = $r->passed - $skipped;
printf "%d test files, %d s\n", scalar(@ARGV), time - $started;
printf "%d passed, %d failed%s\n", $passed, $failed, $skipped ? ", $skipped skipped" : '';
exit($failed || !$r->total ? 1 : 0);
