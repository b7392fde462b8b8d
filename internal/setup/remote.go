package setup

import (
	"cmp"
	"fmt"
	"net"
)

// remote plans for a PBX that is another machine, where init can write nothing.
func (p *planner) remote() {
	address := p.o.Remote
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(address, "5038")
	}
	if p.have && p.conf.Asterisk.Address != address {
		p.refuse("%s is there already and says address = %q: put %q there yourself, or move it away", p.o.Config, p.conf.Asterisk.Address, address)
	}
	p.plan.access = access{address, p.conf.Asterisk.Username, cmp.Or(p.o.Secret, p.secret())}
	p.advise("Calls that voipd misses come from CEL and CDR, which are on %s: see [[backfill]] in config.example.toml.", p.o.Remote)
	p.advise("Recordings are on %s: mount their folder here, and name it in [[recordings.directories]].", p.o.Remote)
}

// Instructions is what to enter on a PBX that is another machine.
func (p *Plan) Instructions(o Options) string {
	from := ownAddress(p.access.address)
	return fmt.Sprintf(`On %s, make a user of AMI. Where manager.conf can be edited (FreePBX and Issabel:
/etc/asterisk/manager_custom.conf), these lines, then "asterisk -rx 'manager reload'":

%s
and timestampevents = yes in [general]. Behind a web page (FreePBX: Settings, Asterisk
Manager Users; MikoPBX: System, Asterisk Manager Interface):

  name      %s
  secret    %s
  from      %s (permit); from everywhere else: deny
  read      %s
  write     %s
  filter    none. MikoPBX puts "!Event: Newexten" there where the field is empty,
            which hides the way through an IVR; put in:  Event: .*

The port %s has to be open to %s alone: AMI is not encrypted by default.
`, o.Remote, userLines(p.access.username, p.access.secret, permitOf(from)), p.access.username, p.access.secret, from, readClasses, writeClasses, port(p.access.address), from)
}

// permitOf is one address as permit has it.
func permitOf(address string) string {
	if ip := net.ParseIP(address); ip != nil && ip.To4() == nil {
		return address + "/128"
	}
	return address + "/255.255.255.255"
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address) // it was joined here
	return port
}

// ownAddress is the address from which another one is reached. Nothing is sent.
func ownAddress(to string) string {
	c, err := net.Dial("udp", to)
	if err != nil {
		return "THIS-MACHINE"
	}
	defer c.Close()
	host, _, err := net.SplitHostPort(c.LocalAddr().String())
	if err != nil {
		return "THIS-MACHINE"
	}
	return host
}
