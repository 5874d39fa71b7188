;; Opens orders.py, lists the actions of its function, runs an ensemble, applies the winner, undoes once, saves.
(require 'package)
(setq package-directory-list '("/usr/share/emacs/site-lisp/elpa" "/usr/share/emacs/site-lisp/elpa-src"))
(package-initialize)
(require 'cl-lib)
(require 'json)
(require 'eglot)

(defvar told nil)
(defvar messages nil)
(defvar titles nil)

(defun leave ()
  (with-temp-file (expand-file-name "told.json" (getenv "HOME"))
    (insert (json-encode told)))
  (kill-emacs 0))

(defun await (what seconds condition)
  (with-timeout (seconds (error "%s did not come" what))
    (while (not (funcall condition))
      (accept-process-output nil 0.05))))

(defun choose (part)
  "Take the first action of the menu that has PART in its title; gives all titles."
  (cl-letf (((symbol-function 'completing-read)
             (lambda (_prompt choices &rest _)
               (setq titles (mapcar (lambda (choice) (if (consp choice) (car choice) choice))
                                    (if (functionp choices) (all-completions "" choices) choices)))
               (or (cl-find-if (lambda (title) (string-match-p (regexp-quote part) title)) titles)
                   (error "no action has %s: %s" part titles)))))
    ;; As if a key had been pressed: the menu is asked for in the minibuffer.
    (setq last-nonmenu-event ?x)
    (eglot-code-actions (point) (point) nil t))
  (vconcat titles))

(advice-add 'eglot--message :before
            (lambda (form &rest arguments) (push (apply #'format form arguments) messages)))

;; eglot asks before a server may edit; there is nobody to answer.
(fset 'y-or-n-p (lambda (&rest _) t))

(condition-case why
    (progn
      (setq eglot-sync-connect t)
      (find-file "orders.py")
      (run-hooks 'post-command-hook)
      (await "the server" 100 (lambda () (and (eglot-managed-p) (eglot-current-server))))
      (goto-char (point-min))
      (search-forward "def repeat_customers")
      (let ((before (buffer-string)))
        (push (cons 'actions (choose "faster")) told)
        (await "the end of the run" 300
               (lambda () (cl-find-if (lambda (said) (string-match-p "repeat_customers: " said)) messages)))
        (let ((said (cl-find-if (lambda (said) (string-match-p "repeat_customers: " said)) messages)))
          (push (cons 'message (substring said (string-match "codeens: " said))) told))
        (push (cons 'results (choose "1. Apply")) told)
        (await "the edit" 100 (lambda () (not (string= before (buffer-string)))))
        (push (cons 'applied (buffer-string)) told)
        (undo-boundary)
        (setq last-command 'ignore)
        (undo)
        (save-buffer)))
  (error (push (cons 'error (error-message-string why)) told)))
(leave)
