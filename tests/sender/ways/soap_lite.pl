# The gateway's SOAP API on SOAP::Lite: says its port, then each call with what it was given.
use strict;
use warnings;
use JSON::PP;
use SOAP::Transport::HTTP;

$| = 1;
my $json = JSON::PP->new->ascii->canonical;

package Gateway;

our @ISA = ();
sub said { print $json->encode( [ $_[0], @_[ 2 .. $#_ ] ] ), "\n"; }

sub auth {
    said( 'auth', @_ );
    return $_[3] eq 'pass&<word>-31337' ? 'OK: 0123456789abcdef' : 'ERR: 001, Authentication failed';
}
sub ping         { said( 'ping', @_ ); return 'OK: '; }
sub querymsg     { said( 'querymsg', @_ ); return [ 'ID: 18e8221e5aa5 Status: 004' ]; }
sub getmsgcharge { said( 'getmsgcharge', @_ ); return 'apiMsgId: 18e8221e5aa5 charge: 0.33 status: 004'; }

sub sendmsg {
    said( 'sendmsg', @_ );
    die "no route & no <hope>\n" if $_[7] eq 'die';
    return [ "ERR: 105, Invalid Destination Address" ] if $_[7] eq 'refuse';
    return [ "ID: 18e8221e5aa5 To:$_[5][0]" ];
}

package main;

my $daemon = SOAP::Transport::HTTP::Daemon->new( LocalAddr => '127.0.0.1', LocalPort => 0, Reuse => 1 )
    ->dispatch_with( { 'soap.clickatell.com' => 'Gateway' } );
print $daemon->sockport, "\n";
$daemon->handle;
