package scm

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
)

// Controls that make the service open its log file again, and read its configuration
// again. Windows leaves 128 to 255 to services, and by default lets every local user send them:
// who does has the files read again, and chooses nothing in them. Its own ParamChange, which
// reloads too, is for administrators alone.
const (
	Reopen svc.Cmd = 128 + iota
	Reload
)

// pause lies between two looks at a service that starts or stops.
const pause = 100 * time.Millisecond

// Errors of commands that come at the wrong time, or come to nothing.
var (
	errRunning  = errors.New("the service is still running")
	errStopped  = errors.New("the service is already stopped")
	errNotBegun = errors.New("failed to start service: the event log says why (Application, source stunnel)")
)

// Run does what one of Commands asks, and returns what to say when it is done. The configuration,
// an absolute path, is for -install alone.
func Run(command, config string) (done string, err error) {
	access := uint32(windows.SC_MANAGER_CONNECT)
	if command == "-install" {
		access |= windows.SC_MANAGER_CREATE_SERVICE
	}
	// Not mgr.Connect: it asks for all rights, which -reload does not need.
	h, err := windows.OpenSCManager(nil, nil, access)
	if err != nil {
		return "", fmt.Errorf("OpenSCManager: %w", err)
	}
	m := &mgr.Mgr{Handle: h}
	defer m.Disconnect()
	if command == "-install" {
		return "Service installed", install(m, config)
	}
	c := actions[command]
	s, err := open(m, c.access)
	if err != nil {
		return "", err
	}
	defer s.Close()
	return c.done, c.do(s)
}

var actions = map[string]struct {
	access uint32
	done   string
	do     func(*mgr.Service) error
}{
	"-uninstall": {windows.SERVICE_QUERY_STATUS | windows.DELETE, "Service uninstalled", uninstall},
	"-start":     {windows.SERVICE_QUERY_STATUS | windows.SERVICE_START, "Service started", start},
	"-stop":      {windows.SERVICE_QUERY_STATUS | windows.SERVICE_STOP, "Service stopped", stop},
	"-exit":      {windows.SERVICE_QUERY_STATUS | windows.SERVICE_STOP, "Service stopped", stop},
	"-reload":    {windows.SERVICE_USER_DEFINED_CONTROL, "Told the service to reload its configuration", tell(Reload)},
	"-reopen":    {windows.SERVICE_USER_DEFINED_CONTROL, "Told the service to reopen its log file", tell(Reopen)},
}

func open(m *mgr.Mgr, access uint32) (*mgr.Service, error) {
	name, err := windows.UTF16PtrFromString(Name)
	if err != nil {
		return nil, err
	}
	h, err := windows.OpenService(m.Handle, name, access)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return nil, fmt.Errorf("the service %s is not installed: write -install first", Name)
	}
	if err != nil {
		return nil, fmt.Errorf("OpenService: %w", err)
	}
	return &mgr.Service{Name: Name, Handle: h}, nil
}

// install makes a service that starts with the system. The manager gets the program's
// path in quotes: of an unquoted C:\Program Files\x it would try C:\Program.exe first,
// which others may be able to put there.
func install(m *mgr.Mgr, config string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	s, err := m.CreateService(Name, exe, mgr.Config{
		DisplayName:  DisplayName,
		Description:  Description,
		StartType:    mgr.StartAutomatic,
		ErrorControl: mgr.ErrorNormal,
		Dependencies: []string{"Tcpip"},
	}, Argument, config)
	if errors.Is(err, windows.ERROR_SERVICE_EXISTS) {
		return fmt.Errorf("the service %s exists already: -uninstall removes it", Name)
	}
	if err != nil {
		return fmt.Errorf("CreateService: %w", err)
	}
	defer s.Close()
	// It may be left from before. Without it events are there all the same, and the
	// viewer says that their texts are raw.
	_ = eventlog.InstallAsEventCreate(Name, eventlog.Error|eventlog.Warning|eventlog.Info)
	return nil
}

func uninstall(s *mgr.Service) error {
	switch status, err := s.Query(); {
	case err != nil:
		return fmt.Errorf("QueryServiceStatus: %w", err)
	case status.State != svc.Stopped:
		return errRunning
	}
	if err := s.Delete(); err != nil {
		return fmt.Errorf("DeleteService: %w", err)
	}
	_ = eventlog.Remove(Name)
	return nil
}

func start(s *mgr.Service) error {
	if err := s.Start(); err != nil {
		return fmt.Errorf("StartService: %w", err)
	}
	state, err := settle(s, svc.StartPending)
	if err == nil && state != svc.Running {
		err = errNotBegun
	}
	return err
}

func stop(s *mgr.Service) error {
	switch status, err := s.Query(); {
	case err != nil:
		return fmt.Errorf("QueryServiceStatus: %w", err)
	case status.State == svc.Stopped:
		return errStopped
	}
	if _, err := s.Control(svc.Stop); err != nil {
		return fmt.Errorf("ControlService: %w", err)
	}
	_, err := settle(s, svc.Running, svc.StopPending)
	return err
}

// settle waits until a service is in none of some states. That ends: the manager gives
// a service whose process is gone another state, and Ctrl-C ends the wait.
func settle(s *mgr.Service, passing ...svc.State) (svc.State, error) {
	for {
		status, err := s.Query()
		if err != nil {
			return 0, fmt.Errorf("QueryServiceStatus: %w", err)
		}
		still := false
		for _, p := range passing {
			still = still || status.State == p
		}
		if !still {
			return status.State, nil
		}
		time.Sleep(pause)
	}
}

func tell(what svc.Cmd) func(*mgr.Service) error {
	return func(s *mgr.Service) error {
		_, err := s.Control(what)
		if errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
			return errStopped
		}
		if err != nil {
			return fmt.Errorf("ControlService: %w", err)
		}
		return nil
	}
}
