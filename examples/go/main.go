// Renews a session, with retries: SERVICE=… KEY=… go run . Needs only the standard library.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"time"
)

const (
	attempts    = 4
	longestWait = time.Minute
)

// Problem is what the service answered instead of a token; branch on Code.
type Problem struct {
	Code       string `json:"code"`
	Detail     string `json:"detail"`
	RequestID  string `json:"requestId"`
	RetryAfter *int   `json:"retryAfter"`
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s: %s (request %s)", p.Code, p.Detail, p.RequestID)
}

// Above the deadline of the service, so that its own error arrives.
var client = http.Client{Timeout: 10 * time.Second}

// RenewSession returns the token, or a *Problem, or what kept the service from being reached.
func RenewSession(service, key string) (string, error) {
	for attempt := 1; ; attempt++ {
		token, err := ask(service, key)
		var problem *Problem
		if err == nil || !errors.As(err, &problem) || problem.RetryAfter == nil || attempt == attempts {
			return token, err
		}
		wait := time.Duration(*problem.RetryAfter) * time.Second
		if wait > longestWait {
			return "", err
		}
		// The random part keeps many clients from returning at the same moment.
		time.Sleep(wait + time.Duration(rand.Int63n(int64(time.Second))))
	}
}

func ask(service, key string) (string, error) {
	request, err := http.NewRequest(http.MethodGet, service+"/session/renew", nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", problemOf(response)
	}
	var session struct {
		Token string `json:"authenticity_token"`
	}
	err = json.NewDecoder(response.Body).Decode(&session)
	return session.Token, err
}

func problemOf(response *http.Response) *Problem {
	problem := new(Problem)
	if json.NewDecoder(response.Body).Decode(problem) != nil { // a proxy in between answered with a page of its own
		return &Problem{Code: fmt.Sprintf("http-%d", response.StatusCode), Detail: "The answer did not come from the service."}
	}
	return problem
}

func main() {
	rand.Seed(time.Now().UnixNano()) // not needed since Go 1.20
	token, err := RenewSession(os.Getenv("SERVICE"), os.Getenv("KEY"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(token)
}
