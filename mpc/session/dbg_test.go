package session_test
import ("testing";"fmt")
func TestDbg(t *testing.T){ n:=newKeygen(t,3); n.open(); fmt.Println(len(n.mails)); for i:=0;i<10;i++{ fmt.Println(n.next(), len(n.mails), len(n.sent), n.players[1].s!=nil)} }
