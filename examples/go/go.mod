module example.com/renew-session

go 1.19
